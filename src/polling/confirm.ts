/**
 * The last confirm: whether a stop must still tell Telegram to forget what was accepted, and the calls that do so.
 */
import type { Clock } from '../clock.js';
import { Backoff } from './backoff.js';
import type { ApiAnswer, BotApi } from './bot-api.js';

/** Between two tries of a confirm, which has a second or so in all. */
const betweenTries = { floorMs: 50, firstMs: 100, capMs: 500 };

/**
 * The offsets to ask for, in this order; none when Telegram has answered a poll from `accepted`. A poll without an
 * answer proves nothing, however long it has been under way: the connection may be half-open.
 *
 * @param accepted what `accept` returned last; undefined when nothing may be confirmed
 * @param confirmed the offset of the newest poll that was answered
 * @param asked the offset of the newest poll, answered or not
 */
export function confirmingOffsets(
  accepted: number | undefined,
  confirmed: number | undefined,
  asked: number | undefined,
): readonly number[] {
  if (accepted === undefined || accepted === confirmed) return [];
  return asked === accepted ? again(accepted) : [accepted];
}

/**
 * How to ask for an offset that Telegram may have heard before. It makes the same offset again within 3 s wait until
 * those are over, longer than a stop may take; it compares with the previous request only, and one that is lower
 * forgets nothing more. A negative one would: it stays positive.
 */
const again = (offset: number, lower = 1): readonly number[] => [Math.max(1, offset - lower), offset];

/**
 * Asks for the offsets, one after the other, until Telegram has answered for `accepted`, the last of them, or the time
 * is up; resolves with the last answer. Heeds no signal: it is the stop that waits for it.
 *
 * @param latestEnd in the clock's milliseconds
 */
export async function askFor(
  accepted: number,
  {
    offsets,
    api,
    allowedUpdates,
    clock,
    random,
    latestEnd,
  }: {
    readonly offsets: readonly number[];
    readonly api: BotApi<unknown>;
    readonly allowedUpdates: readonly string[];
    readonly clock: Clock;
    readonly random: () => number;
    readonly latestEnd: number;
  },
): Promise<ApiAnswer<unknown>> {
  const { signal } = new AbortController();
  let ahead = offsets;
  let backoff = new Backoff(betweenTries);
  for (let tries = 1; ; ) {
    const [offset = accepted, ...others] = ahead;
    const timeoutMs = latestEnd - clock.now();
    const answer = await api.getUpdates(
      { offset, timeoutSeconds: 0, limit: 1, allowedUpdates },
      { signal, timeoutMs },
    );
    ahead = others;
    if (answer.kind === 'ok' && ahead.length > 0) continue;

    const waitMs = backoff.delayMs(random());
    if (answer.kind !== 'unreachable' || clock.now() + waitMs >= latestEnd) return answer;
    await clock.sleep(waitMs);
    // Nobody knows which of the offsets so far Telegram has heard last; this one it has not.
    ahead = again(accepted, ++tries);
    backoff = backoff.next();
  }
}
