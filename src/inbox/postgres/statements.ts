/**
 * The statements of the inbox. Each locks in the order that `tables.ts` lays down: what locks anything joins `me` (or
 * `fence`), so that its row is locked before all others.
 */
import type { Row } from './row.js';
import type { Query } from './session.js';

/** Everybody who works with the inbox listens on this channel. The payload is a bot's key, and ` poll` where a turn has ended. */
export const CHANNEL = 'lastcall';
export const pollPayload = (bot: string): string => `${bot} poll`;

export interface Beat {
  /** Whether the turn lasts. */
  readonly polls: boolean;
  /** Whether there are lanes that nobody has. */
  readonly work: boolean;
  /** How long from now on the first lease of another process lasts, unless that gives a sign of life before. */
  readonly nextEndMs: number | undefined;
}

/** An update of a lane that was claimed; without one where the lane has none. */
export interface ClaimedRow {
  readonly key: string;
  /** Whether the host did not have the lane before. */
  readonly isFresh: boolean;
  readonly isDoubtful: boolean;
  /** The number of its newest update. */
  readonly last: number;
  readonly update: ClaimedUpdate | undefined;
}

interface ClaimedUpdate {
  readonly seq: number;
  readonly updateId: number;
  readonly album: string | undefined;
  readonly kind: string;
  readonly content: string;
  readonly attempts: number;
  readonly deaths: number;
  readonly cuts: number;
  readonly putBacks: number;
  readonly retries: number;
  readonly ageMs: number;
  readonly delayMs: number | undefined;
}

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
  /** Whether the lease of who polls has ended. */
  readonly expired: boolean;
  /** Where that process runs. */
  readonly place: string | undefined;
  readonly dead: boolean;
}

export interface DeadHost {
  readonly id: number;
  readonly running: readonly number[];
  readonly isDraining: boolean;
  readonly place: string;
}

export interface EndedAttempt {
  readonly seq: number;
  readonly updateId: number;
  readonly kind: string;
  readonly attempts: number;
  readonly deaths: number;
  readonly cuts: number;
}

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

/** How many leases a process has time for to come back after a restart of the server. */
const LEASES_AFTER_START = 3;

/**
 * Whether the process of the row `h` of `hosts` is taken for dead. One that has given no sign of life since the server was
 * started has been cut off like all others, and is given the time to come back.
 */
const isDead = `h.beat_at < clock_timestamp() - h.lease_ms * interval '1 ms' and (
      h.beat_at >= pg_postmaster_start_time()
      or pg_postmaster_start_time() < clock_timestamp() - ${LEASES_AFTER_START} * h.lease_ms * interval '1 ms'
    )`;

const pollerRow = (row: Row): PollerRow => ({
  epoch: row.integer('epoch'),
  batches: row.integer('batches'),
  recent: row.text('recent'),
});

const droppedLetters = (row: Row): DroppedLetters => ({
  why: row.text('why'),
  letters: row.integer('letters'),
});

function claimedRow(row: Row): ClaimedRow {
  const seq = row.optionalInteger('seq');
  return {
    key: row.text('key'),
    isFresh: row.boolean('fresh'),
    isDoubtful: row.boolean('doubtful'),
    last: row.integer('last'),
    update: seq === undefined ? undefined : claimedUpdate(seq, row),
  };
}

function claimedUpdate(seq: number, row: Row): ClaimedUpdate {
  return {
    seq,
    updateId: row.integer('update_id'),
    album: row.optionalText('album'),
    kind: row.text('kind'),
    content: row.text('content'),
    attempts: row.integer('attempts'),
    deaths: row.integer('deaths'),
    cuts: row.integer('cuts'),
    putBacks: row.integer('put_backs'),
    retries: row.integer('retries'),
    ageMs: row.integer('age_ms'),
    delayMs: row.optionalInteger('delay_ms'),
  };
}

/** $1 bot, $2 place, $3 lease in milliseconds */
export const register: Query<{ readonly id: number }> = {
  name: 'lastcall_register',
  text: `
insert into hosts (bot, place, lease_ms) values ($1, $2, $3) returning id`,
  row: (row) => ({ id: row.integer('id') }),
};

/** $1 bot */
export const addPoller: Query<void> = {
  name: 'lastcall_add_poller',
  text: `
insert into pollers (bot) values ($1) on conflict do nothing`,
};

/**
 * A sign of life, which extends the lease of who polls, and looks whether there is something to do.
 * $1 host, $2 whether it drains, $3 the epoch in which it polls, or null
 */
export const beat: Query<Beat> = {
  name: 'lastcall_beat',
  text: `
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
  row: (row) => ({
    polls: row.boolean('polls'),
    work: row.boolean('work'),
    nextEndMs: row.optionalInteger('next_end_ms'),
  }),
};

/**
 * Takes lanes that nobody has, those with the oldest updates first, and what has come for lanes that the host has. A lane
 * that somebody else has had since the statement began is left alone: what is read of it is out of date.
 * $1 host, $2 how many lanes, $3 the lanes that need no more, $4 how many updates of a lane, $5 the round of claims,
 * $6 of how many lanes that the host has
 */
export const claim: Query<ClaimedRow> = {
  name: 'lastcall_claim',
  text: `
with me as (
  select id, bot from hosts where id = $1 and claim_round = $5 for key share
), free as (
  select me.id, me.bot, l.* from me cross join lateral (
    select key, turn from lanes where lanes.bot = me.bot and lanes.host is null
    order by first limit $2 for update skip locked
  ) l
), more as (
  select me.id, me.bot, l.* from me cross join lateral (
    select key, turn from lanes where lanes.host = me.id and lanes.last > lanes.given and not lanes.key = any($3::text[])
    limit $6 for update skip locked
  ) l
), wanted as (
  select free.id, s.bot, s.key, s.doubtful, true as fresh, 0::bigint as given, s.last
  from free join lanes s on s.bot = free.bot and s.key = free.key and s.turn = free.turn
  union all
  select more.id, s.bot, s.key, false, false, s.given, s.last
  from more join lanes s on s.bot = more.bot and s.key = more.key and s.turn = more.turn
), found as materialized (
  select w.id, w.bot, w.key, w.doubtful, w.fresh, w.last, u.seq, u.update_id, u.album, u.kind, u.content,
    u.attempts, u.deaths, u.cuts, u.put_backs, u.retries,
    (extract(epoch from clock_timestamp() - u.accepted_at) * 1000)::bigint as age_ms,
    ceil(extract(epoch from u.not_before - clock_timestamp()) * 1000)::bigint as delay_ms
  from wanted w left join lateral (
    select * from updates where updates.bot = w.bot and updates.key = w.key and updates.seq > w.given
    order by updates.seq limit $4
  ) u on true
), upto as (
  select id, bot, key, fresh, case when count(seq) < $4 then last else max(seq) end as given
  from found group by id, bot, key, fresh, last
), taken as (
  update lanes set host = upto.id, doubtful = false, given = upto.given, turn = lanes.turn + upto.fresh::integer
  from upto where lanes.bot = upto.bot and lanes.key = upto.key
)
select key, doubtful, fresh, last, seq, update_id, album, kind, content, attempts, deaths, cuts, put_backs, retries, age_ms, delay_ms
from found order by seq`,
  row: claimedRow,
};

/**
 * Undoes what claims have taken of which the answers are not known, and begins a round of claims. The rows of the host and
 * of its lanes are locked. $1 host, $2 and $3 the lanes that it knows: keys, up to where each was given
 */
export const reconcile: Query<{ readonly round: number }> = {
  name: 'lastcall_reconcile',
  text: `
with me as (
  update hosts set claim_round = claim_round + 1 where id = $1 returning id, claim_round
), reset as (
  update lanes set given = known.given from me, unnest($2::text[], $3::bigint[]) as known (key, given)
  where lanes.host = me.id and lanes.key = known.key and lanes.given > known.given
), unknown as (
  select l.bot, l.key, (select min(u.seq) from updates u where u.bot = l.bot and u.key = l.key) as first
  from me join lanes l on l.host = me.id where not l.key = any($2::text[])
), gone as (
  delete from lanes using unknown
  where lanes.bot = unknown.bot and lanes.key = unknown.key and unknown.first is null
), freed as (
  update lanes set host = null, given = 0, doubtful = true, first = unknown.first from unknown
  where lanes.bot = unknown.bot and lanes.key = unknown.key and unknown.first is not null
)
select claim_round as round from me`,
  row: (row) => ({ round: row.integer('round') }),
};

/**
 * Writes down what has become of updates, what is at work, and which lanes are given back.
 * $1 host, $2 at work; $3 settled; $4–$7 given up: numbers, why, error, attempts;
 * $8–$12 put back: numbers, attempts, how often in all, how often as a retry, delays in milliseconds;
 * $13–$15 lanes: keys, up to where each was given, up to where all of it is settled; $16 whether the host drains
 */
export const change: Query<{ readonly freed: number }> = {
  name: 'lastcall_change',
  text: `
with me as (
  update hosts set running = $2::bigint[], draining = $16, beat_at = clock_timestamp() where id = $1 returning id, bot
), settled as (
  delete from updates using me where updates.seq = any($3::bigint[])
), letters as (
  insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts, error)
  select u.bot, u.seq, u.update_id, u.key, u.kind, u.content, d.why, d.attempts, d.error
  from me cross join unnest($4::bigint[], $5::text[], $6::text[], $7::integer[]) as d (seq, why, error, attempts)
  join updates u on u.seq = d.seq
  on conflict do nothing
), given_up as (
  delete from updates using me where updates.seq = any($4::bigint[])
), put_back as (
  update updates set attempts = p.attempts, put_backs = p.put_backs, retries = p.retries, deaths = 0, cuts = 0,
    not_before = clock_timestamp() + p.delay_ms * interval '1 ms'
  from me cross join unnest($8::bigint[], $9::integer[], $10::integer[], $11::integer[], $12::float8[])
    as p (seq, attempts, put_backs, retries, delay_ms)
  where updates.seq = p.seq
), back as (
  select l.*, (
    select min(u.seq) from updates u where u.bot = l.bot and u.key = l.key
      and not u.seq = any($3::bigint[]) and not u.seq = any($4::bigint[])
  ) as next
  from me cross join (
    select * from unnest($13::text[], $14::bigint[], $15::bigint[]) as returned (key, given, upto)
    order by key collate "C"
  ) b cross join lateral (
    select lanes.bot, lanes.key, lanes.last, lanes.given, b.upto from lanes
    where lanes.bot = me.bot and lanes.key = b.key and lanes.host = me.id and lanes.given = b.given
    for update
  ) l
), gone as (
  delete from lanes using back where lanes.bot = back.bot and lanes.key = back.key
    and back.last <= back.upto and back.next is null
), freed as (
  update lanes set host = null, given = 0, first = coalesce(back.next, back.given + 1)
  from back where lanes.bot = back.bot and lanes.key = back.key
    and (back.last > back.upto or back.next is not null)
  returning lanes.bot
)
select me.id, (select count(*) from freed) as freed,
  (select pg_notify('${CHANNEL}', bot) from freed limit 1) as notified
from me`,
  row: (row) => ({ freed: row.integer('freed') }),
};

/**
 * Takes a batch, if the turn in which it was fetched still lasts and no other batch has been taken in it since.
 * $1 bot, $2 epoch, $3 batches so far, $4 offset, $5 recent ids; $6–$10 the updates: ids, keys, albums, kinds, contents
 */
export const accept: Query<true> = {
  name: 'lastcall_accept',
  text: `
with fence as (
  update pollers set next_offset = $4, recent = $5, batches = batches + 1
  where bot = $1 and epoch = $2 and batches = $3 and host is not null returning bot
), fresh as (
  insert into updates (bot, update_id, key, album, kind, content)
  select fence.bot, u.update_id, u.key, u.album, u.kind, u.content
  from fence cross join unnest($6::bigint[], $7::text[], $8::text[], $9::text[], string_to_array($10, e'\\n'))
    with ordinality as u (update_id, key, album, kind, content, place)
  order by u.place
  returning bot, seq, key
), lane as (
  insert into lanes (bot, key, first, last)
  select bot, key, min(seq), max(seq) from fresh group by bot, key order by key
  on conflict (bot, key) do update set last = greatest(lanes.last, excluded.last)
  returning bot
)
select fence.bot, (select pg_notify('${CHANNEL}', bot) from lane limit 1) as notified from fence`,
  row: () => true,
};

/** Gives up the lock of who polls. */
export const unlock: Query<void> = { name: 'lastcall_unlock', text: 'select pg_advisory_unlock_all()' };

/** $1 bot */
export const readPoller: Query<PollerRow> = {
  name: 'lastcall_read_poller',
  text: `
select epoch, batches, recent from pollers where bot = $1`,
  row: pollerRow,
};

/**
 * Begins a turn if the lock of who polls is free, which it is when the session of who had it is gone. This is one statement,
 * so that whoever has the lock has a lease, too, however it goes on: one that stands still could not be replaced otherwise.
 * $1 bot, $2 and $3 the name of the lock, $4 host
 */
export const watch: Query<Watch> = {
  name: 'lastcall_watch',
  text: `
with got as materialized (
  select pg_try_advisory_lock($2, $3) as free
), me as (
  select hosts.id, hosts.lease_ms from got join hosts on hosts.id = $4 where got.free for key share of hosts
), begun as (
  update pollers set epoch = epoch + 1, batches = 0, host = me.id, backend = pg_backend_pid(),
    until = clock_timestamp() + me.lease_ms * interval '1 ms'
  from me where bot = $1 returning epoch, batches, recent
)
select got.free, begun.*, p.host is not null and p.until < clock_timestamp() as expired,
  (select place from hosts where hosts.id = p.host) as place,
  exists (
    select from hosts h where h.bot = p.bot and h.id <> $4 and ${isDead}
  ) as dead,
  case when got.free and begun.epoch is null then pg_advisory_unlock_all() end as unlocked
from pollers p cross join got left join begun on true where p.bot = $1`,
  row: (row) => ({
    free: row.boolean('free'),
    begun: row.optionalInteger('epoch') === undefined ? undefined : pollerRow(row),
    expired: row.boolean('expired'),
    place: row.optionalText('place'),
    dead: row.boolean('dead'),
  }),
};

/** Begins a turn without the lock, if the lease of the last one has ended. $1 bot, $2 host */
export const beginTurn: Query<PollerRow> = {
  name: 'lastcall_begin_turn',
  text: `
with me as (
  select id, lease_ms from hosts where id = $2 for key share
)
update pollers set epoch = epoch + 1, batches = 0, host = me.id, backend = pg_backend_pid(),
  until = clock_timestamp() + me.lease_ms * interval '1 ms'
from me where bot = $1 and until < clock_timestamp() returning epoch, batches, recent`,
  row: pollerRow,
};

/** Ends a turn, so that another one may begin at once. $1 bot, $2 epoch, $3 payload */
export const endTurn: Query<void> = {
  name: 'lastcall_end_turn',
  text: `
with ended as (
  update pollers set host = null, until = '-infinity' where bot = $1 and epoch = $2 returning bot
)
select pg_advisory_unlock_all(), (select pg_notify('${CHANNEL}', $3) from ended)`,
};

/** Ends the session of a process that has the lock and has not extended its lease. $1 bot, $2 and $3 the name of the lock */
export const evict: Query<void> = {
  name: 'lastcall_evict',
  text: `
select pg_terminate_backend(l.pid) from pollers p join pg_locks l on l.pid = p.backend
where p.bot = $1 and p.until < clock_timestamp() and l.locktype = 'advisory' and l.granted
  and l.classid::bigint = $2::bigint & 4294967295 and l.objid::bigint = $3::bigint & 4294967295`,
};

/** $1 bot, $2 host that looks */
export const lockDeadHost: Query<DeadHost> = {
  name: 'lastcall_lock_dead_host',
  text: `
select id, running, draining, place from hosts h
where bot = $1 and id <> $2 and ${isDead}
order by id limit 1 for update skip locked`,
  row: (row) => ({
    id: row.integer('id'),
    running: row.integers('running'),
    isDraining: row.boolean('draining'),
    place: row.text('place'),
  }),
};

/** $1 host */
export const lockHost: Query<true> = {
  name: 'lastcall_lock_host',
  text: `
select id from hosts where id = $1 for update`,
  row: () => true,
};

/** $1 host */
export const lockLanes: Query<void> = {
  name: 'lastcall_lock_lanes',
  text: `
select key from lanes where host = $1 order by key for update`,
};

/** $1 bot, $2 numbers, $3 deaths and $4 cuts to add */
export const endAttempts: Query<EndedAttempt> = {
  name: 'lastcall_end_attempts',
  text: `
update updates set attempts = attempts + 1, deaths = deaths + $3, cuts = cuts + $4
where bot = $1 and seq = any($2::bigint[])
returning seq, update_id, kind, attempts, deaths, cuts`,
  row: (row) => ({
    seq: row.integer('seq'),
    updateId: row.integer('update_id'),
    kind: row.text('kind'),
    attempts: row.integer('attempts'),
    deaths: row.integer('deaths'),
    cuts: row.integer('cuts'),
  }),
};

/** $1 bot, $2 numbers */
export const giveUp: Query<void> = {
  name: 'lastcall_give_up',
  text: `
with gone as (
  delete from updates where bot = $1 and seq = any($2::bigint[]) returning *
)
insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts)
select bot, seq, update_id, key, kind, content, case when cuts > deaths then 'cut' else 'died' end, attempts from gone
on conflict do nothing`,
};

/** $1 host */
export const dropEmptyLanes: Query<void> = {
  name: 'lastcall_drop_empty_lanes',
  text: `
delete from lanes where host = $1
  and not exists (select from updates u where u.bot = lanes.bot and u.key = lanes.key)`,
};

/** $1 host, $2 whether the host may have begun updates without saying so */
export const freeLanes: Query<void> = {
  name: 'lastcall_free_lanes',
  text: `
update lanes set host = null, given = 0, doubtful = $2, first = (
  select min(u.seq) from updates u where u.bot = lanes.bot and u.key = lanes.key
) where host = $1`,
};

/** $1 host, $2 payload */
export const dropHost: Query<void> = {
  name: 'lastcall_drop_host',
  text: `
with gone as (delete from hosts where id = $1)
select pg_notify('${CHANNEL}', $2)`,
};

/** $1 bot */
export const count: Query<{ readonly unsettled: number; readonly dead: number }> = {
  name: 'lastcall_count',
  text: `
select (select count(*) from updates where bot = $1) as unsettled,
  (select count(*) from dead_letters where bot = $1) as dead`,
  row: (row) => ({ unsettled: row.integer('unsettled'), dead: row.integer('dead') }),
};

/** What earlier runs left, if no process is at work. $1 bot, $2 host */
export const lookBack: Query<LookBack> = {
  name: 'lastcall_look_back',
  text: `
select count(*) as unsettled, count(*) filter (where attempts > 0) as begun, count(*) filter (where deaths > 0) as died,
  exists (select from hosts where bot = $1 and id <> $2) as others,
  exists (select from pollers where bot = $1 and epoch > 0) as polled
from updates where bot = $1`,
  row: (row) => ({
    unsettled: row.integer('unsettled'),
    begun: row.integer('begun'),
    died: row.integer('died'),
    hasOthers: row.boolean('others'),
    wasPolled: row.boolean('polled'),
  }),
};

/** $1 bot, $2 the oldest age in milliseconds */
export const dropOldLetters: Query<DroppedLetters> = {
  name: 'lastcall_drop_old_letters',
  text: `
with gone as (
  delete from dead_letters where bot = $1 and at < clock_timestamp() - $2 * interval '1 ms' returning why
)
select why, count(*) as letters from gone group by why`,
  row: droppedLetters,
};

/** $1 bot, $2 how many are kept */
export const dropSurplusLetters: Query<DroppedLetters> = {
  name: 'lastcall_drop_surplus_letters',
  text: `
with gone as (
  delete from dead_letters where bot = $1 and seq in (
    select seq from dead_letters where bot = $1 order by at desc, seq desc offset $2
  ) returning why
)
select why, count(*) as letters from gone group by why`,
  row: droppedLetters,
};
