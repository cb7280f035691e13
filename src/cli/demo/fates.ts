/** What has become of the messages that nobody has answered, each for itself: an answered one may be kept, too. */
import type { Exchange } from '../../sandbox/transcript.js';

/** The ids of the updates that an inbox holds. */
export interface Stock {
  readonly alive: ReadonlySet<number>;
  readonly dead: ReadonlySet<number>;
}

export interface Fates {
  /** In the inbox, or at Telegram. */
  readonly kept: number;
  readonly dead: number;
  readonly lost: number;
}

/** @param confirmedOffset Telegram has forgotten the updates below it; undefined: none */
export function fatesOf(
  exchanges: readonly Pick<Exchange, 'updateId' | 'answers'>[],
  { alive, dead }: Stock,
  confirmedOffset: number | undefined,
): Fates {
  const fates = { kept: 0, dead: 0, lost: 0 };
  for (const { updateId, answers } of exchanges) {
    if (answers.length > 0 || updateId === undefined) continue;
    const isQueued = confirmedOffset === undefined || updateId >= confirmedOffset;
    if (dead.has(updateId)) fates.dead++;
    else if (alive.has(updateId) || isQueued) fates.kept++;
    else fates.lost++;
  }
  return fates;
}
