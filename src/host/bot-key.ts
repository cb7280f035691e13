/** The key of a bot, which is part of the names of its lock and its folder on this host. */
import { createHash } from 'node:crypto';

export interface BotIdentity {
  /** The URL of the Bot API server. One bot may be reached by several. */
  readonly apiRoot: string;
  /** Whether the bot belongs to Telegram's test environment, which has separate bots. */
  readonly testEnv: boolean;
  /** The digits before the token's colon, which stay the same when the token is replaced. */
  readonly botId: number;
}

const KEY = /^\d+(-test)?$/;
const FORMER_KEY = /^\d+-[\da-f]{16}$/;
const TELEGRAM_API_ROOT = 'https://api.telegram.org';

/** Returns a key that is safe in file names. It is the same for each server, because each has the same bot. */
export function botKey({ testEnv, botId }: Pick<BotIdentity, 'testEnv' | 'botId'>): string {
  return testEnv ? `${botId}-test` : `${botId}`;
}

/** Whether it is a key that a former version gave a bot. */
export const isFormerKey = (name: string): boolean => FORMER_KEY.test(name);

/** Whether it is the key of a bot, be it a former one. */
export const isBotKey = (name: string): boolean => KEY.test(name) || isFormerKey(name);

/** Returns the keys that former versions gave the bot by the server that it has now, and by that of Telegram. */
export function formerKeys({ apiRoot, testEnv, botId }: BotIdentity): string[] {
  return [...new Set([apiRoot, TELEGRAM_API_ROOT].map((root) => formerKey(botId, root, testEnv)))];
}

/**
 * Returns those of the names that may be keys which former versions gave the bot: one for each spelling of its server. A key by
 * another server than those of `formerKeys` does not tell the environment; it may be of the bot with the same id in the other.
 */
export function formerKeysIn(names: readonly string[], bot: BotIdentity): string[] {
  const ofOtherBot = formerKeys({ ...bot, testEnv: !bot.testEnv });
  return names.filter(
    (name) => isFormerKey(name) && name.startsWith(`${bot.botId}-`) && !ofOtherBot.includes(name),
  );
}

/** Returns the key that former versions gave a bot. */
export function formerKey(botId: number, apiRoot: string, testEnv = false): string {
  const identity = JSON.stringify([normalized(apiRoot), testEnv, botId]);
  return `${botId}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

/** Returns a URL in its normal form, without trailing slashes. Removes only the slashes of a text that is not a URL. */
function normalized(apiRoot: string): string {
  const { href } = URL.canParse(apiRoot) ? new URL(apiRoot) : { href: apiRoot };
  return href.replace(/\/+$/, '');
}
