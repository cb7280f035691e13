/** Waits until a program without a bot has come to rest: under plain Node its process would end then. */
import type { Clock } from '../../clock.js';
import type { EventLoop } from './event-loop.js';
import { addedKinds, openResources, type Resources } from './open-kinds.js';

export interface ProgramRest {
  readonly clock: Clock;
  readonly eventLoop: Pick<EventLoop, 'untilEmpty'>;
  /** The resources that were open before the program was loaded. */
  readonly openBefore: Resources;
  /** Called once, when the program has had something open for a while, with Node's names of the kinds. */
  stillOpen(kinds: readonly string[]): void;
}

/** After this long without a bot, it is told. A program that only launches its bot again is faster. */
const TOLD_AFTER_MS = 1_000;

/** Resolves when the program has nothing open any more. Rejects with the signal's reason when that aborts. */
export async function programAtRest(rest: ProgramRest, signal: AbortSignal): Promise<void> {
  const { clock, eventLoop, openBefore, stillOpen } = rest;
  const cancel = clock.after(TOLD_AFTER_MS, () => stillOpen(addedKinds(openResources(), openBefore)));
  try {
    await eventLoop.untilEmpty(signal);
  } finally {
    cancel();
  }
}
