/** Masks secrets in finished log lines, in which every part of a line is plain text. */
import { maskToken, maskTokens } from '../token.js';

/** The least length of the part of a token after its colon that is masked alone, too long to be a common word. */
const MIN_PART_LENGTH = 16;

/** The least length of a secret that is masked. Shorter ones are no tokens, and may be parts of any line. */
const MIN_SECRET_LENGTH = 20;

export interface Redactor {
  /** Masks a secret from now on, whether it is written plain, in a URL or in JSON. One too short for a token is ignored. */
  addSecret(secret: string): void;
  /** Masks every known secret, and everything that looks like a bot token. */
  redact(text: string): string;
}

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const masks = new Map<string, string>();
  let known: RegExp | undefined;
  const addSecret = (secret: string) => {
    if (secret.trim().length < MIN_SECRET_LENGTH) return;
    const mask = maskToken(secret);
    for (const spelling of spellings(secret)) masks.set(spelling, mask);
    const part = secret.slice(secret.indexOf(':') + 1);
    if (part.length >= MIN_PART_LENGTH) masks.set(part, '***');
    // Longer secrets come first: masking a shorter one inside a longer one would leave a piece of the longer one.
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
