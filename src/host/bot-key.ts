/** Which bot it is, for all that a host keeps one of a bot: its lock, its folder. */
import { createHash } from 'node:crypto';

export interface BotIdentity {
  /** The Bot API server; the same digits are another bot elsewhere. */
  readonly apiRoot: string;
  /** Of Telegram's test environment, which has bots of its own. */
  readonly testEnv: boolean;
  /** The digits before the token's colon: they stay when the token is rotated. */
  readonly botId: number;
}

/** The bot's key, fit for a file's name: its id, for people, and a hash of all that makes it this bot. */
export function botKey({ apiRoot, testEnv, botId }: BotIdentity): string {
  const identity = JSON.stringify([normal(apiRoot), testEnv, botId]);
  return `${botId}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

/** One server, however its address is written. */
function normal(apiRoot: string): string {
  const { href } = URL.canParse(apiRoot) ? new URL(apiRoot) : { href: apiRoot };
  return href.replace(/\/+$/, '');
}
