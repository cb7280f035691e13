/** Recognizes bot tokens in text, and masks all but the bot's id, which is not secret. */

/**
 * Matches a token, also in a URL after `bot`, and with its colon percent-encoded (once or twice) or escaped as in JSON.
 * Tokens have 8 to 10 digits and 35 characters; the pattern accepts fewer, so that truncated tokens are found too. The
 * lookbehind keeps the search linear, since a long run of digits is tried only from its start.
 */
const tokenPattern = /(?<!\d)(\d{5,})(?::|%(?:25)*3[aA]|\\+u003[aA])[\w-]{25,}/g;

/** Masks a token as `123456789:***`, or as `***` if it does not start with an id. */
export function maskToken(token: string): string {
  const id = /^\d+(?=:)/.exec(token)?.[0];
  return id === undefined ? '***' : `${id}:***`;
}

/** Masks each part of the text that looks like a bot token. */
export function maskTokens(text: string): string {
  return text.replace(tokenPattern, '$1:***');
}

/** More characters than a token has, in each of its forms. */
const MAX_TOKEN_LENGTH = 100;

/**
 * Returns where a text of which the rest is still to come can be divided, so that each part can be masked by itself: before
 * its last characters, which may be the beginning of a token, and not amid another one.
 */
export function dividableAt(text: string): number {
  const end = Math.max(0, text.length - MAX_TOKEN_LENGTH);
  const from = Math.max(0, end - MAX_TOKEN_LENGTH);
  for (const { 0: token, index } of text.slice(from).matchAll(tokenPattern)) {
    const start = from + index;
    if (start < end && end < start + token.length) return start;
  }
  return end;
}
