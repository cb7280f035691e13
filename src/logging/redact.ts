/** Masks secrets in finished log lines, in which every part of a line is plain text. */
import { maskToken, maskTokens } from '../token.js';

/** The least length of the part of a token after its colon that is masked alone, too long to be a common word. */
const MIN_PART_LENGTH = 16;

/** The least length of a secret that is masked. Shorter ones are no tokens, and may be parts of any line. */
const MIN_SECRET_LENGTH = 20;

/** The least length of a password that is masked. A shorter one may be a part of any line, and is not worth guessing. */
const MIN_PASSWORD_LENGTH = 6;

/** Captures the scheme of a URL that holds a user or a password. The lookbehind keeps the search linear. */
const credentialsInUrl = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/@"'<>\\]*(?:@[^\s/@"'<>\\]*)*@/gi;

export interface Redactor {
  /** Masks a secret from now on, whether it is written plain, in a URL or in JSON. One too short for a token is ignored. */
  addSecret(secret: string): void;
  /** Masks a password from now on, as `***`. One that is very short is ignored. */
  addPassword(password: string): void;
  /** Masks every known secret, everything that looks like a bot token, and the credentials in URLs. */
  redact(text: string): string;
}

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const masks = new Map<string, string>();
  let known: RegExp | undefined;
  const add = (secret: string, mask: string) => {
    for (const spelling of spellings(secret)) masks.set(spelling, mask);
  };
  const addSecret = (secret: string) => {
    if (secret.trim().length < MIN_SECRET_LENGTH) return;
    add(secret, maskToken(secret));
    const part = secret.slice(secret.indexOf(':') + 1);
    if (part.length >= MIN_PART_LENGTH) masks.set(part, '***');
    search();
  };
  const addPassword = (password: string) => {
    if (password.trim().length < MIN_PASSWORD_LENGTH) return;
    add(password, '***');
    search();
  };
  const search = () => {
    // Longer secrets come first: masking a shorter one inside a longer one would leave a piece of the longer one.
    const longestFirst = [...masks.keys()].sort((a, b) => b.length - a.length);
    known = new RegExp(longestFirst.map(escaped).join('|'), 'g');
  };
  for (const secret of secrets) addSecret(secret);
  return {
    addSecret,
    addPassword,
    redact: (line) =>
      maskUrls(maskTokens(known ? line.replace(known, (secret) => masks.get(secret) ?? '***') : line)),
  };
}

/** Most lines hold no `@`, and are not searched for URLs. */
const maskUrls = (line: string): string =>
  line.includes('@') && line.includes('://') ? line.replace(credentialsInUrl, '$1***@') : line;

function spellings(secret: string): readonly string[] {
  const inUrl = encodeURIComponent(secret);
  const inUrlLower = inUrl.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [secret, inUrl, inUrlLower, encodeURIComponent(inUrl), inJson];
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
