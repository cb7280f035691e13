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
