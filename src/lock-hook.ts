/** The hook that takes the lock of a bot that is known before anything of it runs. */
import type { BotIdentity } from './host/bot-key.js';
import type { BotLocks } from './host/bot-locks.js';
import type { Hook } from './lifecycle/hook.js';

/**
 * @param identify returns the bot; called at the start
 */
export function lockHook(locks: Pick<BotLocks, 'reserve'>, identify: () => BotIdentity): Hook {
  return {
    name: 'lock',
    // Standing by may last until the next deploy.
    startTimeoutMs: Number.POSITIVE_INFINITY,
    start: () => locks.reserve(identify()),
  };
}
