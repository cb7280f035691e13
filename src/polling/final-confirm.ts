/** The confirm at the end of a run: one or two short polls that tell Telegram to forget the accepted updates. */
import type { Clock } from '../clock.js';
import { backoffMs } from './backoff.js';
import type { ApiAnswer, BotApi } from './bot-api.js';

/** The delays between the attempts of a confirm, which has about a second in all. */
const retryBackoff = { floorMs: 50, firstMs: 100, capMs: 500 };

/**
 * Returns the offsets to poll from, in order, so that Telegram forgets the updates below `accepted`; none if it already
 * has. A poll without an answer proves nothing, however long it has waited: the connection may be half-open.
 *
 * @param accepted the offset that `accept` returned last; undefined when nothing may be confirmed
 * @param answered the offset of the newest poll that was answered
 * @param requested the offset of the newest poll, answered or not
 */
export function offsetsToConfirm(
  accepted: number | undefined,
  answered: number | undefined,
  requested: number | undefined,
): readonly number[] {
  if (accepted === undefined || accepted === answered) return [];
  return requested === accepted ? avoidingRepetition(accepted, 1) : [accepted];
}

/**
 * Returns a lower offset and then `offset`. Telegram answers a short poll only after 3 s, longer than a stop may take, if
 * the poll before it had the same offset less than 3 s ago. A poll from another offset in between avoids the delay; a
 * lower offset forgets nothing more. The lower offset stays positive, because a negative one would forget updates.
 */
const avoidingRepetition = (offset: number, lowerBy: number): readonly number[] => [
  Math.max(1, offset - lowerBy),
  offset,
];

interface ConfirmOptions {
  /** The result of {@link offsetsToConfirm}, not empty. */
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
export async function confirmOffset(accepted: number, options: ConfirmOptions): Promise<ApiAnswer<unknown>> {
  const { clock, random, latestEnd } = options;
  let { offsets } = options;
  for (let retries = 0; ; retries++) {
    const answer = await pollFromEach(offsets, options);
    const waitMs = backoffMs(retryBackoff, retries, random());
    if (answer.kind !== 'unreachable' || clock.now() + waitMs >= latestEnd) return answer;
    await clock.sleep(waitMs);
    // Telegram may have received any of the offsets so far, so the retry begins with a still lower one.
    offsets = avoidingRepetition(accepted, retries + 2);
  }
}

/** Resolves with the answer to the last poll, or with the first answer that is not ok. */
async function pollFromEach(
  offsets: readonly number[],
  { api, allowedUpdates, clock, latestEnd }: ConfirmOptions,
): Promise<ApiAnswer<unknown>> {
  const { signal } = new AbortController();
  let answer: ApiAnswer<unknown> = { kind: 'ok', result: [] };
  for (const offset of offsets) {
    const parameters = { offset, timeoutSeconds: 0, limit: 1, allowedUpdates };
    const leftMs = latestEnd - clock.now();
    answer = await api.getUpdates(parameters, { signal, answerWithinMs: leftMs, endWithinMs: leftMs });
    if (answer.kind !== 'ok') break;
  }
  return answer;
}
