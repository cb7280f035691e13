/** The key of a bot, which is part of the names of its lock and its folder on this host. */
import { createHash } from 'node:crypto';

export interface BotIdentity {
  /** The URL of the Bot API server. The same id on another server is another bot. */
  readonly apiRoot: string;
  /** Whether the bot belongs to Telegram's test environment, which has separate bots. */
  readonly testEnv: boolean;
  /** The digits before the token's colon, which stay the same when the token is replaced. */
  readonly botId: number;
}

/** Returns a key that is safe in file names: the bot's id, for people, and a hash of the whole identity. */
export function botKey({ apiRoot, testEnv, botId }: BotIdentity): string {
  const identity = JSON.stringify([normalized(apiRoot), testEnv, botId]);
  return `${botId}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

/** Returns a URL in its normal form, without trailing slashes. Removes only the slashes of a text that is not a URL. */
function normalized(apiRoot: string): string {
  const { href } = URL.canParse(apiRoot) ? new URL(apiRoot) : { href: apiRoot };
  return href.replace(/\/+$/, '');
}
