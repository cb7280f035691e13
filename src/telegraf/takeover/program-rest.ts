/** Waits until a program without a bot has come to rest: under plain Node its process would end then. */
import type { Clock } from '../../clock.js';
import { addedKinds, type Resources } from './open-kinds.js';

export interface ProgramRest {
  readonly clock: Clock;
  /** The resources that were open before the program was loaded. */
  readonly openBefore: Resources;
  openResources(): Resources;
  /** Called once, when the program has had something open for a while, with Node's names of the kinds. */
  stillOpen(kinds: readonly string[]): void;
}

/** The first waits between checks; short, since a program that has only stopped its bot should end at once. */
const FIRST_WAITS_MS = [1, 2, 4, 8, 16];
const FURTHER_WAIT_MS = 25;
/** The wait once it is told that the program has something open, which may last for days. */
const LONG_WAIT_MS = 250;
/** How many checks in a row must find nothing open: work in Node's thread pool does not show, but may end meanwhile. */
const QUIET_CHECKS = 3;
/** After this long without a bot, it is told. A program that only launches its bot again is faster. */
const TOLD_AFTER_MS = 1_000;

/** Resolves when the program has nothing open any more. Rejects with the signal's reason when that aborts. */
export async function programAtRest(rest: ProgramRest, signal: AbortSignal): Promise<void> {
  const { clock } = rest;
  const begunAt = clock.now();
  let isTold = false;
  for (let check = 0, quiet = 0; quiet < QUIET_CHECKS; check++) {
    await clock.sleep(isTold ? LONG_WAIT_MS : (FIRST_WAITS_MS[check] ?? FURTHER_WAIT_MS), signal);
    const kinds = addedKinds(rest.openResources(), rest.openBefore);
    quiet = kinds.length === 0 ? quiet + 1 : 0;
    if (isTold || kinds.length === 0 || clock.now() - begunAt < TOLD_AFTER_MS) continue;
    isTold = true;
    rest.stillOpen(kinds);
  }
}
