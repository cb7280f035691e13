/** Who polls: the row of the bot, and the lock. */
import type { Row } from '../row.js';
import { CHANNEL } from './channel.js';
import { isDead } from './hosts.js';
import { prepared } from './prepared.js';

export interface PollerRow {
  readonly epoch: number;
  readonly batches: number;
  readonly recent: string;
}

export interface Watch {
  /** Whether the lock was free. */
  readonly free: boolean;
  /** The turn that has begun, where the lock was free: it is this session's now. */
  readonly begun: PollerRow | undefined;
  /** Whether nobody has a lease. */
  readonly expired: boolean;
  /** Where that process runs. */
  readonly place: string | undefined;
  readonly dead: boolean;
}

const pollerRow = (row: Row): PollerRow => ({
  epoch: row.integer('epoch'),
  batches: row.integer('batches'),
  recent: row.text('recent'),
});

/** $1 bot */
export const addPoller = prepared(
  'add_poller',
  `
insert into pollers (bot) values ($1) on conflict do nothing`,
);

/**
 * Changes nothing, but is a commit: its answer comes once the standby, where one is waited for, has all that was committed
 * before. A commit whose session was ended while it waited for the standby can be read without that. $1 bot
 */
export const readPoller = prepared(
  'read_poller',
  `
update pollers set batches = batches where bot = $1 returning epoch, batches, recent`,
  pollerRow,
);

/**
 * Begins a turn if the lock of who polls is free, which it is when the session of who had it is gone: but not where another
 * session has the turn with a lease alone, and is there still. This is one statement, so that whoever has the lock has a
 * lease, too, however it goes on: one that stands still could not be replaced otherwise.
 * $1 bot, $2 and $3 the name of the lock, $4 host
 */
export const watch = prepared(
  'watch',
  `
with got as materialized (
  select pg_try_advisory_lock($2, $3) as free
), me as (
  select hosts.id, hosts.lease_ms from got join hosts on hosts.id = $4 where got.free for key share of hosts
), begun as (
  update pollers set epoch = epoch + 1, batches = 0, host = me.id, backend = pg_backend_pid(),
    until = clock_timestamp() + me.lease_ms * interval '1 ms'
  from me where bot = $1 and (
    host is null or until < clock_timestamp()
    or not exists (select from pg_stat_get_activity(pollers.backend) where pid <> pg_backend_pid())
  )
  returning epoch, batches, recent
)
select got.free, begun.*, p.until < clock_timestamp() as expired,
  (select place from hosts where hosts.id = p.host) as place,
  exists (
    select from hosts h where h.bot = p.bot and h.id <> $4 and ${isDead}
  ) as dead,
  case when got.free and begun.epoch is null then pg_advisory_unlock_all() end as unlocked
from pollers p cross join got left join begun on true where p.bot = $1`,
  (row): Watch => ({
    free: row.boolean('free'),
    begun: row.optionalInteger('epoch') === undefined ? undefined : pollerRow(row),
    expired: row.boolean('expired'),
    place: row.optionalText('place'),
    dead: row.boolean('dead'),
  }),
);

/** Begins a turn without the lock, if the lease of the last one has ended. $1 bot, $2 host */
export const beginTurn = prepared(
  'begin_turn',
  `
with me as (
  select id, lease_ms from hosts where id = $2 for key share
)
update pollers set epoch = epoch + 1, batches = 0, host = me.id, backend = pg_backend_pid(),
  until = clock_timestamp() + me.lease_ms * interval '1 ms'
from me where bot = $1 and until < clock_timestamp() returning epoch, batches, recent`,
  pollerRow,
);

/** Ends a turn, so that another one may begin at once. $1 bot, $2 epoch, $3 payload */
export const endTurn = prepared(
  'end_turn',
  `
with ended as (
  update pollers set host = null, until = '-infinity' where bot = $1 and epoch = $2 returning bot
)
select pg_advisory_unlock_all(), (select pg_notify('${CHANNEL}', $3) from ended)`,
);

/**
 * Ends the session of a process that has the lock and has not extended its lease. Returns whether the lock is free now, or is
 * about to be: otherwise it is with somebody who does not poll. $1 bot, $2 and $3 the name of the lock
 */
export const evict = prepared(
  'evict',
  `
with holders as materialized (
  select pid from pg_locks join pg_database on pg_database.oid = database
  where datname = current_database() and locktype = 'advisory' and granted
    and classid::bigint = $2::bigint & 4294967295 and objid::bigint = $3::bigint & 4294967295
), ended as materialized (
  select pg_terminate_backend(pid) as ended from pollers p join holders on pid = p.backend
  where p.bot = $1 and p.until < clock_timestamp()
)
select coalesce((select bool_or(ended) from ended), not exists (select from holders)) as free`,
  (row) => row.boolean('free'),
);

/** Gives up the lock of who polls. */
export const unlock = prepared('unlock', 'select pg_advisory_unlock_all()');
