/** The key that identifies a bot on a host, in the names of its lock and its folder. */
import { createHash } from 'node:crypto';

export interface BotIdentity {
  /** The Bot API server's URL: on another server the same id is another bot. */
  readonly apiRoot: string;
  /** Whether the bot belongs to Telegram's test environment, which has separate bots. */
  readonly testEnv: boolean;
  /** The digits before the token's colon, which stay the same when the token is replaced. */
  readonly botId: number;
}

/** A key that is safe in file names: the bot's id, to be readable, and a hash of the whole identity. */
export function botKey({ apiRoot, testEnv, botId }: BotIdentity): string {
  const identity = JSON.stringify([normalized(apiRoot), testEnv, botId]);
  return `${botId}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

/** The URL in its normal form, without trailing slashes; text that is not a URL only loses its trailing slashes. */
function normalized(apiRoot: string): string {
  const { href } = URL.canParse(apiRoot) ? new URL(apiRoot) : { href: apiRoot };
  return href.replace(/\/+$/, '');
}
