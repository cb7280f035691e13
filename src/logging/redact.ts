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
    if (password.trim().length < MIN_PASSWORD_LENGTH || masks.has(password)) return;
    add(password, '***');
    search();
  };
  const search = () => {
    // Longer secrets come first: masking a shorter one inside a longer one would leave a piece of the longer one.
    const longestFirst = [...masks.keys()].sort((a, b) => b.length - a.length);
    known = new RegExp(longestFirst.map(patternOf).join('|'), 'g');
  };
  for (const secret of secrets) addSecret(secret);
  return {
    addSecret,
    addPassword,
    redact(line) {
      const mask = (secret: string, at: number) => maskIn(line, at, secret, masks.get(secret) ?? '***');
      return maskUrls(maskTokens(known ? line.replace(known, mask) : line));
    },
  };
}

const onlyDigits = /^\d+$/;

/** A password of digits is masked only where it is a whole number: ids and times may hold the same digits. */
const patternOf = (secret: string): string =>
  onlyDigits.test(secret)
    ? `(?:(?<=%\\d\\d|\\\\u\\d{4})|(?<!\\d|\\d\\.))${secret}(?!\\d|\\.\\d)`
    : escaped(secret);

/** The mask of a secret at a place of the line. In place of a number of a JSON line, it is a string. */
function maskIn(line: string, at: number, secret: string, mask: string): string {
  if (!onlyDigits.test(secret) || !isJsonNumber(line, at)) return mask;
  return line[at - 1] === '-' ? secret : `"${mask}"`;
}

/** Whether a number in a line of JSON is a value of its own, and no part of a text. */
function isJsonNumber(line: string, at: number): boolean {
  const quotes =
    line
      .slice(0, at)
      .match(/\\.|"/g)
      ?.filter((found) => found === '"').length ?? 0;
  return line.startsWith('{') && quotes % 2 === 0;
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
