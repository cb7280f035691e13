/**
 * Keeps secrets out of the log. It works on the finished line, where nothing can hide from it any more: message, stack,
 * causes, URLs, keys and nested objects are all text by then.
 */
import { maskToken, maskTokens } from '../token.js';

/** A part of a token is a secret of its own when it is long enough not to be a word of the log. */
const SHORTEST_PART = 16;

export interface Redactor {
  /** From now on this is masked, too, however it is written: plain, in a URL, in JSON. Blank ones are ignored. */
  add(secret: string): void;
  /** The line with every known secret, and all that looks like a bot token, masked. */
  redact(line: string): string;
}

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const masks = new Map<string, string>();
  let known: RegExp | undefined;
  const redactor: Redactor = {
    add(secret) {
      if (secret.trim() === '') return;
      const mask = maskToken(secret);
      for (const spelling of spellings(secret)) masks.set(spelling, mask);
      const part = secret.slice(secret.indexOf(':') + 1);
      if (part.length >= SHORTEST_PART) masks.set(part, '***');
      // The longest first, so that what is left of a secret is never a piece that a shorter one did not cover.
      const longestFirst = [...masks.keys()].sort((a, b) => b.length - a.length);
      known = new RegExp(longestFirst.map(escaped).join('|'), 'g');
    },
    redact(line) {
      const rest = known ? line.replace(known, (secret) => masks.get(secret) ?? '***') : line;
      return maskTokens(rest);
    },
  };
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

/** The ways in which a secret may be written in a line. */
function spellings(secret: string): readonly string[] {
  const inUrl = encodeURIComponent(secret);
  const inUrlLower = inUrl.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inUrl, inUrlLower, encodeURIComponent(inUrl), inJson];
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
