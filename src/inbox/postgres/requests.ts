/**
 * What people ask for: another try of dead letters, and the removal of updates. It is done here, in the tables, in the order
 * of locks that `tables.ts` lays down; the processes at work are told where there is something new.
 */
import { type Seq, seq } from '../ids.js';
import type { Query } from './queries.js';
import type { Session } from './session.js';
import { CHANNEL } from './statements/channel.js';
import { upsertLanes } from './statements/lanes.js';

/** How many updates are dealt with at a time, so that nobody waits long for the locks. */
const SLICE = 500;

/** Has the updates of dead letters wait once more, as if they had just arrived. Resolves with the numbers of those letters. */
export function retryLetters(session: Session, bot: string, seqs: readonly Seq[]): Promise<readonly Seq[]> {
  return inSlices(seqs, (slice) =>
    session.transaction(async (queries) => {
      // As `accept` does, so that the numbers of updates become visible in their order.
      await queries.query(lockPoller, [bot]);
      return queries.query(retry, [bot, slice]);
    }),
  );
}

/** Removes dead letters, and updates that no process has been given. Resolves with the numbers of what is removed. */
export function dropEntries(session: Session, bot: string, seqs: readonly Seq[]): Promise<readonly Seq[]> {
  return inSlices(seqs, (slice) => session.query(drop, [bot, slice]));
}

async function inSlices(
  seqs: readonly Seq[],
  carryOut: (slice: readonly Seq[]) => Promise<readonly Seq[]>,
): Promise<readonly Seq[]> {
  const done: Seq[] = [];
  for (let at = 0; at < seqs.length; at += SLICE) done.push(...(await carryOut(seqs.slice(at, at + SLICE))));
  return done;
}

/** $1 bot */
const lockPoller: Query<void> = { text: 'select bot from pollers where bot = $1 for update' };

/** $1 bot, $2 numbers */
const retry: Query<Seq> = {
  text: `
with letters as (
  delete from dead_letters where bot = $1 and seq = any($2::bigint[]) returning *
), fresh as (
  insert into updates (bot, update_id, key, kind, content)
  select bot, update_id, key, kind, content from letters order by seq
  returning bot, seq, key
), lane as (${upsertLanes}
  returning bot
)
select seq, (select pg_notify('${CHANNEL}', bot) from lane limit 1) as notified from letters`,
  row: (row) => seq(row.integer('seq')),
};

/**
 * A process has been given the updates of its lanes up to a number. The turn of a lane is counted on, so that a claim that
 * has read the lane before does not take it. $1 bot, $2 numbers
 */
const drop: Query<Seq> = {
  text: `
with letters as (
  delete from dead_letters where bot = $1 and seq = any($2::bigint[]) returning seq
), target as (
  select seq, key from updates where bot = $1 and seq = any($2::bigint[]) and seq > 0
), lane as (
  select key, host, given from lanes
  where bot = $1 and key in (select key from target) order by key for update
), free as (
  select target.seq, target.key from target join lane on lane.key = target.key
  where lane.host is null or target.seq > lane.given
), passed as (
  update lanes set turn = turn + 1 where bot = $1 and key in (select key from free)
), gone as (
  delete from updates where bot = $1 and seq in (select seq from free) and seq > 0 returning seq
)
select seq from letters union all select seq from gone`,
  row: (row) => seq(row.integer('seq')),
};
