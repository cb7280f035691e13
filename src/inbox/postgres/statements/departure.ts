/** What becomes of all that a process had when it has ended; its row is locked. */
import { prepared } from './prepared.js';

export interface EndedAttempt {
  readonly seq: number;
  readonly updateId: number;
  readonly kind: string;
  readonly attempts: number;
  readonly deaths: number;
  readonly cuts: number;
}

/** $1 bot, $2 numbers, $3 deaths and $4 cuts to add */
export const endAttempts = prepared(
  'end_attempts',
  `
update updates set attempts = attempts + 1, deaths = deaths + $3, cuts = cuts + $4
where bot = $1 and seq = any($2::bigint[]) and seq > 0
returning seq, update_id, kind, attempts, deaths, cuts`,
  (row): EndedAttempt => ({
    seq: row.integer('seq'),
    updateId: row.integer('update_id'),
    kind: row.text('kind'),
    attempts: row.integer('attempts'),
    deaths: row.integer('deaths'),
    cuts: row.integer('cuts'),
  }),
);

/** $1 bot, $2 numbers */
export const giveUp = prepared(
  'give_up',
  `
with gone as (
  delete from updates where bot = $1 and seq = any($2::bigint[]) and seq > 0 returning *
)
insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts)
select bot, seq, update_id, key, kind, content, case when cuts > deaths then 'cut' else 'died' end, attempts from gone
on conflict do nothing`,
);

/** $1 host */
export const dropEmptyLanes = prepared(
  'drop_empty_lanes',
  `
delete from lanes where host = $1
  and not exists (select from updates u where u.bot = lanes.bot and u.key = lanes.key)`,
);

/** $1 host, $2 whether the host may have begun updates without saying so */
export const freeLanes = prepared(
  'free_lanes',
  `
update lanes set host = null, given = 0, doubtful = $2, first = (
  select min(u.seq) from updates u where u.bot = lanes.bot and u.key = lanes.key
) where host = $1`,
);
