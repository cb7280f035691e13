/** Which updates several processes have begun, one after the other, and whether that was right. */

import type { SandboxBot } from '../../src/sandbox/sandbox-bot.js';
import type { Daemon } from './daemon.js';
import { timeOf } from './fleet.js';

/** Something that happened to a process, or to the database of all: what is at work then may be handled again. */
export interface Disturbance {
  /** Undefined: all. */
  readonly daemon: Daemon | undefined;
  /** In milliseconds since 1970; `untilMs` is infinite for a kill. */
  readonly fromMs: number;
  untilMs: number;
}

/** What a handler ends with is written within this time, unless the database is away. */
const WRITTEN_WITHIN_MS = 2_000;

export interface Repeats {
  /** How many updates began more than once. */
  readonly repeated: number;
  /** Those that nothing explains. */
  readonly unexplained: readonly unknown[];
}

/**
 * An update may begin in another process only where something has happened to the one before while it was at work there, or
 * had ended so little before that this may not have been written.
 */
export function repeats(
  bot: SandboxBot,
  daemons: readonly Daemon[],
  disturbances: readonly Disturbance[],
): Repeats {
  const begun = new Map<unknown, { daemon: Daemon; atMs: number }[]>();
  for (const daemon of daemons)
    for (const line of daemon.lines) {
      if (line.event !== 'test.begun') continue;
      const { updateId } = line;
      begun.set(updateId, [...(begun.get(updateId) ?? []), { daemon, atMs: timeOf(line) }]);
    }
  const sinceEpochMs = Date.now() - performance.now();
  const answered = new Map(
    bot
      .exchanges()
      .map(({ updateId, answers }) => [updateId, answers.map(({ atMs }) => sinceEpochMs + atMs)]),
  );
  const unexplained: unknown[] = [];
  let repeated = 0;
  for (const [updateId, unsorted] of begun) {
    const times = unsorted.toSorted((one, other) => one.atMs - other.atMs);
    if (times.length > 1) repeated++;
    for (const [index, { daemon, atMs }] of times.slice(0, -1).entries()) {
      const next = times[index + 1];
      const endedMs = answered.get(updateId as number)?.find((ms) => ms > atMs) ?? Number.POSITIVE_INFINITY;
      const isExplained = disturbances.some(
        (one) =>
          (one.daemon === undefined || one.daemon === daemon) &&
          one.untilMs >= atMs &&
          one.fromMs <= Math.min(next?.atMs ?? 0, endedMs + WRITTEN_WITHIN_MS),
      );
      if (!isExplained) unexplained.push({ updateId, times: times.map(({ atMs: ms }) => ms), endedMs });
    }
  }
  return { repeated, unexplained };
}
