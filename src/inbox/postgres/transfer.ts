/**
 * Takes a whole inbox into the tables, or out of them, for a move. Each is one transaction, in which the move writes down
 * its id, so that a move that was cut off finds out whether it was done.
 */
import { LastcallError } from '../../errors.js';
import { orderKey, updateId } from '../ids.js';
import { isDeadReason } from '../inbox.js';
import { type MovedCounts, type MovedInbox, type MovedLetter, type MovedUpdate, slicesOf } from '../moved.js';
import { type Arrival, RecentIds } from '../recent-ids.js';
import { listHosts } from './contents.js';
import { storedKey, withoutNul } from './kept-text.js';
import type { Queries, Query } from './queries.js';
import type { Row } from './row.js';
import type { Session } from './session.js';
import { CHANNEL } from './statements/channel.js';
import { upsertLanes } from './statements/lanes.js';
import { addPoller } from './statements/turns.js';
import { readRecent, writeRecent } from './turns.js';

/** What is known of an update beside what is carried. */
export interface Reading {
  keyOf(update: unknown): string;
  groupOf(update: unknown): string | undefined;
  kindOf(update: unknown): string;
}

const SLICE = 500;

/** Letters get numbers below those of all updates and of all other letters; more than this are in no inbox. */
const MOST_LETTERS = 1_000_000_000;

/** Whether the move with this id was done. Waits for an earlier attempt at it that the server is still at. */
export function isMoveDone(session: Session, bot: string, id: string): Promise<boolean> {
  return session.transaction(async (queries) => {
    await queries.query(lockPoller, [bot]);
    return wasMoved(queries, id);
  });
}

async function wasMoved(queries: Queries, id: string): Promise<boolean> {
  const [found = false] = await queries.query(moveDone, [id]);
  return found;
}

/**
 * Rejects where a process works with the inbox.
 *
 * @throws LastcallError INBOX_IN_USE
 */
async function assertNotInUse(queries: Queries, bot: string): Promise<void> {
  const atWork = (await listHosts(queries, bot)).filter(({ isAlive }) => isAlive);
  if (atWork.length === 0) return;
  const places = atWork.map(({ place }) => place).join(', ');
  throw new LastcallError('INBOX_IN_USE', 'INBOX', `the inbox in the database is in use by ${places}`);
}

/**
 * Adds an inbox to the tables, which must hold no update of the bot that waits. Does nothing where that was done before.
 * Rejects with INBOX_IN_USE and INBOX_OCCUPIED.
 */
export function importInbox(
  session: Session,
  bot: string,
  id: string,
  { updates, letters, recent }: MovedInbox,
  reading: Reading,
): Promise<void> {
  return session.transaction(async (queries) => {
    await queries.query(addPoller, [bot]);
    // An earlier attempt that the server is still at has this lock.
    await queries.query(lockPoller, [bot]);
    if (await wasMoved(queries, id)) return;
    await assertNotInUse(queries, bot);
    const [waiting = 0] = await queries.query(countUpdates, [bot]);
    if (waiting > 0)
      throw new LastcallError(
        'INBOX_OCCUPIED',
        'INBOX',
        `the database holds ${waiting} updates of bot ${bot} that wait, whose order to the others is not known`,
      );
    for await (const slice of slicesOf(updates, SLICE))
      await queries.query(addUpdates, [bot, ...columnsOf(slice, reading)]);
    const [lowest = 0] = await queries.query(lowestLetter, [bot]);
    let next = lowest - MOST_LETTERS;
    for await (const slice of slicesOf(letters, SLICE)) {
      await queries.query(addLetters, [bot, next, ...letterColumns(slice)]);
      next += slice.length;
    }
    await queries.query(setRecent, [bot, writeRecent({ arrivals: recent })]);
    await queries.query(recordMove, [id, bot]);
  });
}

/**
 * Hands all that the tables hold of a bot to `write`, and removes it once that has resolved: it has to be durable by then.
 * Rejects with INBOX_IN_USE, and as `write` does; then the tables are as before.
 */
export function exportInbox(
  session: Session,
  bot: string,
  id: string,
  write: (inbox: MovedInbox) => Promise<MovedCounts>,
): Promise<MovedCounts> {
  return session.transaction(async (queries) => {
    const [recent = '[]'] = await queries.query(lockPoller, [bot]);
    await assertNotInUse(queries, bot);
    await queries.query(endDeadHosts, [bot]);
    // A process that starts now takes no lane that is locked.
    await queries.query(lockLanes, [bot]);
    const counts = await write({
      updates: pages(queries, readUpdates, bot, ({ seq }) => [seq]),
      letters: pages(queries, readLetters, bot, ({ at, seq }) => [at, seq], ['-infinity', 0]),
      recent: arrivalsIn(recent),
    });
    for (const table of ['updates', 'lanes', 'dead_letters'])
      await queries.query({ text: `delete from ${table} where bot = $1`, timeoutMs: LONG_MS }, [bot]);
    await queries.query(recordMove, [id, bot]);
    return counts;
  });
}

function arrivalsIn(text: string): readonly Arrival[] {
  const recent = new RecentIds();
  readRecent(text, recent);
  return recent.arrivals;
}

/** How long the removal of a large inbox may take. */
const LONG_MS = 10 * 60_000;

async function* pages<T>(
  queries: Queries,
  query: Query<T>,
  bot: string,
  placeOf: (item: T) => readonly unknown[],
  begin: readonly unknown[] = [0],
): AsyncGenerator<T> {
  for (let place = begin; ; ) {
    const page = await queries.query(query, [bot, SLICE, ...place]);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < SLICE) return;
    place = placeOf(last);
  }
}

function columnsOf(updates: readonly MovedUpdate[], reading: Reading): readonly unknown[] {
  const parsed = updates.map(({ content }): unknown => JSON.parse(content));
  return [
    updates.map(({ updateId: of }) => of),
    parsed.map((update) => storedKey(reading.keyOf(update))),
    parsed
      .map((update) => reading.groupOf(update))
      .map((group) => (group === undefined ? null : withoutNul(group))),
    parsed.map((update) => withoutNul(reading.kindOf(update))),
    updates.map(({ content }) => content),
    updates.map(({ acceptedAtMs }) => acceptedAtMs),
    updates.map(({ notBeforeMs }) => (notBeforeMs === 0 ? null : notBeforeMs)),
    updates.map(({ attempts }) => attempts),
    updates.map(({ deaths }) => deaths),
    updates.map(({ cuts }) => cuts),
    updates.map(({ putBacks }) => putBacks),
    updates.map(({ retries }) => retries),
  ];
}

function letterColumns(letters: readonly MovedLetter[]): readonly unknown[] {
  return [
    letters.map(({ updateId: of }) => of),
    letters.map(({ key }) => storedKey(key)),
    letters.map(({ kind }) => kind),
    letters.map(({ content }) => content),
    letters.map(({ why }) => why),
    letters.map(({ attempts }) => attempts),
    letters.map(({ atMs }) => atMs),
    letters.map(({ error }) => (error === undefined ? null : withoutNul(error))),
  ];
}

const movedUpdate = (row: Row): MovedUpdate & { readonly seq: number } => ({
  seq: row.integer('seq'),
  updateId: updateId(row.integer('update_id')),
  content: row.text('content'),
  acceptedAtMs: row.integer('accepted_ms'),
  attempts: row.integer('attempts'),
  deaths: row.integer('deaths'),
  cuts: row.integer('cuts'),
  putBacks: row.integer('put_backs'),
  retries: row.integer('retries'),
  notBeforeMs: row.optionalInteger('not_before_ms') ?? 0,
});

function movedLetter(row: Row): MovedLetter & { readonly at: string; readonly seq: number } {
  const why = row.text('why');
  return {
    seq: row.integer('seq'),
    at: row.text('at'),
    updateId: updateId(row.integer('update_id')),
    key: orderKey(row.text('key')),
    kind: row.text('kind'),
    content: row.text('content'),
    why: isDeadReason(why) ? why : 'failed',
    attempts: row.integer('attempts'),
    atMs: row.integer('at_ms'),
    error: row.optionalText('error'),
  };
}

/** $1 id */
const moveDone: Query<boolean> = {
  text: 'select exists (select from moves where id = $1) as done',
  row: (row) => row.boolean('done'),
};
/** $1 id, $2 bot */
const recordMove: Query<void> = { text: 'insert into moves (id, bot) values ($1, $2)' };
/** $1 bot */
const lockPoller: Query<string> = {
  text: 'select recent from pollers where bot = $1 for update',
  row: (row) => row.text('recent'),
};
/** $1 bot */
const countUpdates: Query<number> = {
  text: 'select count(*) as number from updates where bot = $1',
  row: (row) => row.integer('number'),
};
/** $1 bot */
const lockLanes: Query<void> = { text: 'select key from lanes where bot = $1 order by key for update' };
/** $1 bot, $2 recent ids */
const setRecent: Query<void> = {
  text: `
with poller as (update pollers set recent = $2 where bot = $1 returning bot)
select pg_notify('${CHANNEL}', bot) from poller`,
};

/** What was at work in processes that are gone counts as begun once more: as a cut where they were stopping, else a death. $1 bot */
const endDeadHosts: Query<void> = {
  text: `
with gone as (
  delete from hosts where bot = $1 returning running, draining
), at_work as (
  select unnest(running) as seq, draining from gone
)
update updates set attempts = attempts + 1,
  deaths = deaths + case when draining then 0 else 1 end, cuts = cuts + case when draining then 1 else 0 end
from at_work where updates.bot = $1 and updates.seq = at_work.seq and updates.seq > 0`,
};

/** $1 bot, $2–$13 ids, keys, albums, kinds, contents, times of arrival and of the next try, histories */
const addUpdates: Query<void> = {
  text: `
with fresh as (
  insert into updates (bot, update_id, key, album, kind, content, accepted_at, not_before, attempts, deaths, cuts, put_backs, retries)
  select $1, u.update_id, u.key, u.album, u.kind, u.content, to_timestamp(u.accepted_ms / 1000), to_timestamp(u.not_before_ms / 1000),
    u.attempts, u.deaths, u.cuts, u.put_backs, u.retries
  from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[],
    $9::integer[], $10::integer[], $11::integer[], $12::integer[], $13::integer[])
    with ordinality as u (update_id, key, album, kind, content, accepted_ms, not_before_ms, attempts, deaths, cuts, put_backs, retries, place)
  order by u.place
  returning bot, seq, key
)${upsertLanes}`,
};

/** $1 bot */
const lowestLetter: Query<number> = {
  text: 'select least(0, min(seq)) as number from dead_letters where bot = $1',
  row: (row) => row.integer('number'),
};

/** $1 bot, $2 the first number, $3–$10 ids, keys, kinds, contents, why, attempts, times, errors */
const addLetters: Query<void> = {
  text: `
insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts, at, error)
select $1, $2::bigint + l.place, l.update_id, l.key, l.kind, l.content, l.why, l.attempts, to_timestamp(l.at_ms / 1000), l.error
from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::integer[], $9::float8[], $10::text[])
  with ordinality as l (update_id, key, kind, content, why, attempts, at_ms, error, place)`,
};

/** $1 bot, $2 how many, $3 the number after which to go on */
const readUpdates: Query<MovedUpdate & { readonly seq: number }> = {
  text: `
select seq, update_id, content, (extract(epoch from accepted_at) * 1000)::bigint as accepted_ms,
  (extract(epoch from not_before) * 1000)::bigint as not_before_ms, attempts, deaths, cuts, put_backs, retries
from updates where bot = $1 and seq > $3 and seq > 0 order by seq limit $2`,
  row: movedUpdate,
};

/** $1 bot, $2 how many, $3 and $4 the time and number after which to go on */
const readLetters: Query<MovedLetter & { readonly at: string; readonly seq: number }> = {
  text: `
select seq, update_id, key, kind, content, why, attempts, error, at::text as at,
  (extract(epoch from at) * 1000)::bigint as at_ms
from dead_letters where bot = $1 and (at, seq) > ($3::timestamptz, $4::bigint) order by at, seq limit $2`,
  row: movedLetter,
};
