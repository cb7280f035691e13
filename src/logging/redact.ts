/** Keeps secrets out of the log. Works on finished text, because all parts of a line are plain text by then. */
import { maskToken, maskTokens } from '../token.js';

/** The part of a token behind its colon is masked on its own if it is too long to be a common word. */
const SHORTEST_PART = 16;

export interface Redactor {
  /** Masks a secret from now on, whether it is written plain, in a URL or in JSON. A blank one is ignored. */
  addSecret(secret: string): void;
  /** Masks every known secret, and everything that looks like a bot token. */
  redact(text: string): string;
}

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const masks = new Map<string, string>();
  let known: RegExp | undefined;
  const addSecret = (secret: string) => {
    if (secret.trim() === '') return;
    const mask = maskToken(secret);
    for (const spelling of spellings(secret)) masks.set(spelling, mask);
    const part = secret.slice(secret.indexOf(':') + 1);
    if (part.length >= SHORTEST_PART) masks.set(part, '***');
    // The longest first, because masking a shorter one would leave a piece of a longer one that contains it.
    const longestFirst = [...masks.keys()].sort((a, b) => b.length - a.length);
    known = new RegExp(longestFirst.map(escaped).join('|'), 'g');
  };
  for (const secret of secrets) addSecret(secret);
  return {
    addSecret,
    redact: (line) => maskTokens(known ? line.replace(known, (secret) => masks.get(secret) ?? '***') : line),
  };
}

function spellings(secret: string): readonly string[] {
  const inUrl = encodeURIComponent(secret);
  const inUrlLower = inUrl.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inUrl, inUrlLower, encodeURIComponent(inUrl), inJson];
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
