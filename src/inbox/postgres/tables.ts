/**
 * The tables of the inbox, in a schema of their own; one database has those of several bots. Every time is the database's.
 *
 * **Who may do what.** A `hosts` row is one process. All that a process does to the inbox begins by locking its row (`for
 * key share`, or an update of it), and the row goes with its lanes when the process is taken for dead, under `for update`.
 * So whatever a process still sends after that finds no row, and changes nothing.
 *
 * **Order of locks.** `hosts` or `pollers` first, then `updates`, then `lanes` in the order of their keys. A claim waits for
 * no lane (`skip locked`). Therefore there is no deadlock.
 */

/** The statements that make the tables, in the order in which they are run. */
export const tables: readonly string[] = [
  // A process. `running` are the updates whose handlers have begun in it, or are about to; it is written before a suspect
  // begins, and right after the others.
  `create table hosts (
    id bigint generated always as identity primary key,
    bot text not null,
    place text not null,
    started_at timestamptz not null default clock_timestamp(),
    beat_at timestamptz not null default clock_timestamp(),
    lease_ms integer not null,
    draining boolean not null default false,
    running bigint[] not null default '{}'
  ) with (fillfactor = 50)`,
  'create index hosts_bot on hosts (bot)',

  // An update that has not settled. `content` is its JSON.
  `create table updates (
    bot text not null,
    seq bigint generated always as identity,
    update_id bigint not null,
    key text collate "C" not null,
    album text,
    kind text not null,
    content text not null,
    accepted_at timestamptz not null default clock_timestamp(),
    not_before timestamptz,
    attempts integer not null default 0,
    deaths integer not null default 0,
    cuts integer not null default 0,
    put_backs integer not null default 0,
    retries integer not null default 0,
    primary key (bot, key, seq)
  )`,
  // Only for statements that say so by `seq > 0`. Otherwise the planner could look for the next update of a lane here.
  'create unique index updates_seq on updates (seq) where seq > 0',

  // An order key with work. `first` is at most the number of its oldest update, and `last` that of its newest; the host has
  // been given all of them up to `given`. `doubtful`: its first update may have been begun by a process that has died
  // before it could say so. `turn` counts how often the lane was claimed.
  `create table lanes (
    bot text not null,
    key text collate "C" not null,
    host bigint,
    first bigint not null,
    last bigint not null,
    given bigint not null default 0,
    doubtful boolean not null default false,
    turn bigint not null default 0,
    primary key (bot, key)
  ) with (fillfactor = 70)`,
  'create index lanes_free on lanes (bot, first) where host is null',
  'create index lanes_host on lanes (host) where host is not null',

  // Who polls a bot, by which backend of the server, until when, and for the how-many-eth time in all; `batches` counts what was accepted since. `recent`
  // are the ids that Telegram may send again, though they may have settled.
  `create table pollers (
    bot text primary key,
    epoch bigint not null default 0,
    batches bigint not null default 0,
    host bigint,
    backend integer,
    until timestamptz not null default '-infinity',
    next_offset bigint,
    recent text not null default '[]'
  ) with (fillfactor = 50)`,

  // An update that was given up.
  `create table dead_letters (
    bot text not null,
    seq bigint not null,
    update_id bigint not null,
    key text not null,
    kind text not null,
    content text not null,
    why text not null,
    attempts integer not null,
    at timestamptz not null default clock_timestamp(),
    error text,
    primary key (bot, seq)
  )`,
  'create index dead_letters_at on dead_letters (bot, at)',
];
