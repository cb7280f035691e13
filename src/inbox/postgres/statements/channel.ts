/** Everybody who works with the inbox listens on this channel. The payload is a bot's key, and ` poll` where a turn has ended. */
export const CHANNEL = 'lastcall';
export const pollPayload = (bot: string): string => `${bot} poll`;
