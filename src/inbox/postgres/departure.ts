/**
 * What becomes of all that a process had when it has ended: the lanes are free, what was at work has one death or cut more,
 * and what has too many of them is given up.
 */
import type { InboxEvent } from '../events.js';
import type { Database } from './database.js';
import type { Queries } from './queries.js';
import { lockLanes } from './statements/claims.js';
import { dropEmptyLanes, type EndedAttempt, endAttempts, freeLanes, giveUp } from './statements/departure.js';
import { dropHost, lockDeadHost, lockHost } from './statements/hosts.js';

export interface DepartureOptions {
  readonly bot: string;
  /** After how many attempts in a row that ended with the process an update is given up; 0: never. */
  readonly maxAttempts: number;
  emit(event: InboxEvent): void;
}

interface Departed {
  readonly host: number;
  /** The updates that were at work. */
  readonly running: readonly number[];
  readonly by: 'death' | 'stop';
}

/**
 * Frees what processes had that are taken for dead. Rejects with what the database says.
 *
 * @returns how many updates were given up
 */
export async function freeTheDead(
  database: Pick<Database, 'beat'>,
  own: number,
  options: DepartureOptions,
): Promise<number> {
  const { bot, emit } = options;
  for (let givenUp = 0; ; ) {
    const freed = await database.beat.transaction(async (queries) => {
      const [dead] = await queries.query(lockDeadHost, [bot, own]);
      if (!dead) return undefined;
      const { id: host, running, isDraining } = dead;
      const by = isDraining ? 'stop' : 'death';
      return { dead, ended: await depart(queries, { host, running, by }, options) };
    });
    if (!freed) return givenUp;
    const { place, running } = freed.dead;
    emit({ event: 'inbox.host-freed', place, running: running.length });
    givenUp += tellGivenUp(freed.ended, emit);
  }
}

/**
 * Leaves in good order. Rejects with what the database says.
 *
 * @returns how many updates were given up
 */
export async function leave(
  database: Pick<Database, 'work'>,
  departed: Departed,
  options: DepartureOptions,
): Promise<number> {
  const ended = await database.work.transaction(async (queries) => {
    const [found] = await queries.query(lockHost, [departed.host]);
    return found ? depart(queries, departed, options) : [];
  });
  return tellGivenUp(ended, options.emit);
}

/** The row of the process is locked. Returns what was given up. */
async function depart(
  queries: Queries,
  { host, running, by }: Departed,
  { bot, maxAttempts }: DepartureOptions,
): Promise<readonly EndedAttempt[]> {
  await queries.query(lockLanes, [host]);
  const [deaths, cuts] = by === 'death' ? [1, 0] : [0, 1];
  const ended = await queries.query(endAttempts, [bot, running, deaths, cuts]);
  const exhausted = ended.filter((update) => maxAttempts > 0 && update.deaths + update.cuts >= maxAttempts);
  if (exhausted.length > 0) await queries.query(giveUp, [bot, exhausted.map(({ seq }) => seq)]);
  await queries.query(dropEmptyLanes, [host]);
  await queries.query(freeLanes, [host, by === 'death']);
  await queries.query(dropHost, [host, bot]);
  return exhausted;
}

function tellGivenUp(ended: readonly EndedAttempt[], emit: DepartureOptions['emit']): number {
  for (const { updateId, kind, attempts, deaths, cuts } of ended) {
    const why = cuts > deaths ? 'cut' : 'died';
    emit({ event: 'inbox.dead', updateId, kind, why, attempts, deaths, cuts });
  }
  return ended.length;
}
