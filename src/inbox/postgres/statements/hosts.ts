/** The processes that work with the inbox, and their signs of life. */

import { CHANNEL } from './channel.js';
import { prepared } from './prepared.js';

export interface Beat {
  /** Whether the turn lasts. */
  readonly polls: boolean;
  /** Whether there are lanes that nobody has. */
  readonly work: boolean;
  /** How long from now on the first lease of another process lasts, unless that gives a sign of life before. */
  readonly nextEndMs: number | undefined;
}

export interface DeadHost {
  readonly id: number;
  readonly running: readonly number[];
  readonly isDraining: boolean;
  readonly place: string;
}

/** How many leases a process has time for to come back after a restart of the server. */
const LEASES_AFTER_START = 3;

/**
 * Whether the process of the row `h` of `hosts` is taken for dead. One that has given no sign of life since the server was
 * started has been cut off like all others, and is given the time to come back.
 */
export const isDead = `h.beat_at < clock_timestamp() - h.lease_ms * interval '1 ms' and (
      h.beat_at >= pg_postmaster_start_time()
      or pg_postmaster_start_time() < clock_timestamp() - ${LEASES_AFTER_START} * h.lease_ms * interval '1 ms'
    )`;

/** $1 bot, $2 place, $3 lease in milliseconds */
export const register = prepared(
  'register',
  `
insert into hosts (bot, place, lease_ms) values ($1, $2, $3) returning id`,
  (row) => ({ id: row.integer('id') }),
);

/**
 * A sign of life, which extends the lease of who polls, and looks whether there is something to do.
 * $1 host, $2 whether it drains, $3 the epoch in which it polls, or null
 */
export const beat = prepared(
  'beat',
  `
with me as (
  update hosts set beat_at = clock_timestamp(), draining = $2 where id = $1 returning id, bot, lease_ms
), lease as (
  update pollers set until = clock_timestamp() + me.lease_ms * interval '1 ms' from me
  where pollers.bot = me.bot and pollers.host = me.id and pollers.epoch = $3 returning pollers.bot
)
select
  exists (select from lease) as polls,
  exists (select from lanes where lanes.bot = me.bot and lanes.host is null) as work,
  (
    select ceil(extract(epoch from min(h.beat_at + h.lease_ms * interval '1 ms') - clock_timestamp()) * 1000)::bigint
    from hosts h where h.bot = me.bot and h.id <> me.id
  ) as next_end_ms
from me`,
  (row): Beat => ({
    polls: row.boolean('polls'),
    work: row.boolean('work'),
    nextEndMs: row.optionalInteger('next_end_ms'),
  }),
);

/** $1 bot, $2 host that looks */
export const lockDeadHost = prepared(
  'lock_dead_host',
  `
select id, running, draining, place from hosts h
where bot = $1 and id <> $2 and ${isDead}
order by id limit 1 for update skip locked`,
  (row): DeadHost => ({
    id: row.integer('id'),
    running: row.integers('running'),
    isDraining: row.boolean('draining'),
    place: row.text('place'),
  }),
);

/** $1 host */
export const lockHost = prepared(
  'lock_host',
  `
select id from hosts where id = $1 for update`,
  () => true,
);

/** $1 host, $2 payload */
export const dropHost = prepared(
  'drop_host',
  `
with gone as (delete from hosts where id = $1)
select pg_notify('${CHANNEL}', $2)`,
);
