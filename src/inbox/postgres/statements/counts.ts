/** How much the inbox holds, and what is dropped of it. */
import { prepared } from './prepared.js';

export interface LookBack {
  readonly unsettled: number;
  readonly begun: number;
  readonly died: number;
  /** Whether other processes are at work. */
  readonly hasOthers: boolean;
  /** Whether any process has ever polled the bot. */
  readonly wasPolled: boolean;
}

export interface DroppedLetters {
  readonly why: string;
  readonly letters: number;
}

/** $1 bot */
export const count = prepared(
  'count',
  `
select (select count(*) from updates where bot = $1) as unsettled,
  (select count(*) from dead_letters where bot = $1) as dead`,
  (row) => ({ unsettled: row.integer('unsettled'), dead: row.integer('dead') }),
);

/** What earlier runs left, if no process is at work. $1 bot, $2 host */
export const lookBack = prepared(
  'look_back',
  `
select count(*) as unsettled, count(*) filter (where attempts > 0) as begun, count(*) filter (where deaths > 0) as died,
  exists (select from hosts where bot = $1 and id <> $2) as others,
  exists (select from pollers where bot = $1 and epoch > 0) as polled
from updates where bot = $1`,
  (row): LookBack => ({
    unsettled: row.integer('unsettled'),
    begun: row.integer('begun'),
    died: row.integer('died'),
    hasOthers: row.boolean('others'),
    wasPolled: row.boolean('polled'),
  }),
);

/** A statement that drops dead letters, and tells how many it has dropped for each reason that they were given up for. */
const drop = (name: string, which: string) =>
  prepared(
    name,
    `
with gone as (
  delete from dead_letters where bot = $1 and ${which} returning why
)
select why, count(*) as letters from gone group by why`,
    (row): DroppedLetters => ({ why: row.text('why'), letters: row.integer('letters') }),
  );

/** $1 bot, $2 the oldest age in milliseconds */
export const dropOldLetters = drop('drop_old_letters', "at < clock_timestamp() - $2 * interval '1 ms'");

/** $1 bot, $2 how many are kept */
export const dropSurplusLetters = drop(
  'drop_surplus_letters',
  `seq in (
    select seq from dead_letters where bot = $1 order by at desc, seq desc offset $2
  )`,
);
