/** The confirm at the end of a run, by which Telegram forgets what was accepted. */
import type { Clock } from '../clock.js';
import { backoffMs } from './backoff.js';
import type { ApiAnswer, BotApi } from './bot-api.js';

/** The delays between the attempts of a confirm, which has about a second in all. */
const retryBackoff = { floorMs: 50, firstMs: 100, capMs: 500 };

/**
 * Returns the offsets to poll from, in order. None is needed when Telegram has answered a poll from `accepted`. A poll
 * without an answer proves nothing, however long it has been under way: the connection may be half-open.
 *
 * @param accepted the offset that `accept` returned last; undefined when nothing may be confirmed
 * @param confirmed the offset of the newest poll that was answered
 * @param requested the offset of the newest poll, answered or not
 */
export function offsetsToConfirm(
  accepted: number | undefined,
  confirmed: number | undefined,
  requested: number | undefined,
): readonly number[] {
  if (accepted === undefined || accepted === confirmed) return [];
  return requested === accepted ? detour(accepted, 1) : [accepted];
}

/**
 * Returns the offsets that confirm `offset` although Telegram may have seen it before. Telegram delays a request that
 * repeats an offset within 3 s until these are over, longer than a stop may take. It compares with the previous request
 * only, and a lower offset forgets nothing more. A negative offset would forget updates, so the result stays positive.
 */
const detour = (offset: number, lowerBy: number): readonly number[] => [
  Math.max(1, offset - lowerBy),
  offset,
];

interface ConfirmOptions {
  readonly offsets: readonly number[];
  readonly api: BotApi<unknown>;
  readonly allowedUpdates: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  /** In the clock's milliseconds. */
  readonly latestEnd: number;
}

/**
 * Polls from the offsets, one after the other, until Telegram has answered for `accepted`, the last of them, or the
 * time is up. Resolves with the last answer. Takes no signal, because the stop itself waits for the confirm.
 */
export async function confirmOffset(
  accepted: number,
  { offsets, api, allowedUpdates, clock, random, latestEnd }: ConfirmOptions,
): Promise<ApiAnswer<unknown>> {
  const { signal } = new AbortController();
  let pending = offsets;
  for (let attempt = 1; ; ) {
    const [offset = accepted, ...others] = pending;
    const timeoutMs = latestEnd - clock.now();
    const answer = await api.getUpdates(
      { offset, timeoutSeconds: 0, limit: 1, allowedUpdates },
      { signal, timeoutMs },
    );
    pending = others;
    if (answer.kind === 'ok' && pending.length > 0) continue;

    const waitMs = backoffMs(retryBackoff, attempt - 1, random());
    if (answer.kind !== 'unreachable' || clock.now() + waitMs >= latestEnd) return answer;
    await clock.sleep(waitMs);
    // Nobody knows which of the offsets so far Telegram has seen last; it has not seen one that is lower still.
    pending = detour(accepted, ++attempt);
  }
}
