/** What a bot token looks like, and how it is shown: by the bot's id, which is no secret, and three stars. */

/**
 * A token wherever it stands: in a URL behind `bot`, with its colon percent-encoded (once or twice) or escaped as in
 * JSON. Telegram's tokens are 8 to 10 digits and 35 characters; less is asked here, so that a cut one is found too.
 * The look behind keeps the search linear: a long row of digits is tried from its first one only.
 */
const tokenPattern = /(?<!\d)(\d{5,})(?::|%(?:25)*3[aA]|\\+u003[aA])[\w-]{25,}/g;

/** The token as it may be shown: `123456789:***`. What has no id to show is all stars. */
export function maskToken(token: string): string {
  const id = /^\d+(?=:)/.exec(token)?.[0];
  return id === undefined ? '***' : `${id}:***`;
}

/** Masks everything in the text that looks like a bot token. */
export function maskTokens(text: string): string {
  return text.replace(tokenPattern, '$1:***');
}
