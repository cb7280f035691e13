/** What the tables hold of a bot, for people: read while processes work with them, page by page. */
import { orderKey, type Seq, seq, updateId } from '../ids.js';
import { isDeadReason } from '../inbox.js';
import { type SeenUpdate, type UpdateState, updateStates } from '../seen-update.js';
import type { Queries, Query } from './queries.js';
import type { Row } from './row.js';

/** A process that works with the inbox of a bot. */
export interface HostEntry {
  readonly place: string;
  readonly silentMs: number;
  /** Whether its last sign of life is younger than its lease. */
  readonly isAlive: boolean;
  readonly polls: boolean;
}

export interface EntrySelection {
  readonly states: readonly UpdateState[];
  readonly ids?: readonly number[];
}

const PAGE = 500;

export const listBots = async (queries: Queries): Promise<readonly string[]> => queries.query(bots);

export const listHosts = async (queries: Queries, bot: string): Promise<readonly HostEntry[]> =>
  queries.query(hosts, [bot]);

export async function countStates(
  queries: Queries,
  bot: string,
): Promise<Readonly<Record<UpdateState, number>>> {
  const rows = await queries.query(counts, [bot]);
  const numbers = Object.fromEntries(rows);
  return { running: 0, interrupted: 0, waiting: 0, dead: 0, ...numbers };
}

/** Yields first the updates that are alive, in order of arrival, then the dead, the oldest first. */
export async function* entries(
  queries: Queries,
  bot: string,
  { states, ids }: EntrySelection,
): AsyncGenerator<SeenUpdate> {
  const alive = states.filter((state) => state !== 'dead');
  const wanted = ids ?? null;
  for (let after = 0; alive.length > 0; ) {
    const page = await queries.query(updatesAfter, [bot, after, wanted, alive, PAGE]);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) break;
    after = last.seq;
  }
  if (!states.includes('dead')) return;
  let place: { readonly at: string; readonly seq: number } = { at: '-infinity', seq: 0 };
  for (;;) {
    const page = await queries.query(lettersAfter, [bot, place.at, place.seq, wanted, PAGE]);
    for (const { entry } of page) yield entry;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    place = { at: last.at, seq: last.entry.seq };
  }
}

/** The states of these updates; one that the tables do not hold has none. */
export async function statesOf(
  queries: Queries,
  bot: string,
  seqs: readonly Seq[],
): Promise<ReadonlyMap<Seq, UpdateState>> {
  return new Map(await queries.query(states, [bot, seqs]));
}

function stateIn(row: Row): UpdateState {
  const text = row.text('state');
  return updateStates.find((state) => state === text) ?? 'waiting';
}

function aliveEntry(row: Row): SeenUpdate {
  return {
    ...common(row),
    state: stateIn(row),
    deaths: row.integer('deaths'),
    cuts: row.integer('cuts'),
    notBeforeMs: row.optionalInteger('not_before_ms'),
    why: undefined,
    error: undefined,
  };
}

function deadEntry(row: Row): SeenUpdate {
  const why = row.text('why');
  return {
    ...common(row),
    state: 'dead',
    deaths: undefined,
    cuts: undefined,
    notBeforeMs: undefined,
    why: isDeadReason(why) ? why : undefined,
    error: row.optionalText('error'),
  };
}

const common = (row: Row) => ({
  seq: seq(row.integer('seq')),
  updateId: updateId(row.integer('update_id')),
  key: orderKey(row.text('key')),
  kind: row.text('kind'),
  atMs: row.integer('at_ms'),
  attempts: row.integer('attempts'),
  text: () => row.text('content'),
});

const bots: Query<string> = {
  text: 'select bot from pollers order by bot',
  row: (row) => row.text('bot'),
};

/** $1 bot */
const hosts: Query<HostEntry> = {
  text: `
select h.place, greatest(0, extract(epoch from clock_timestamp() - h.beat_at) * 1000)::bigint as silent_ms,
  h.beat_at >= clock_timestamp() - h.lease_ms * interval '1 ms' as alive, p.host is not null as polls
from hosts h left join pollers p on p.bot = h.bot and p.host = h.id
where h.bot = $1 order by h.id`,
  row: (row) => ({
    place: row.text('place'),
    silentMs: row.integer('silent_ms'),
    isAlive: row.boolean('alive'),
    polls: row.boolean('polls'),
  }),
};

/** What is at work, and whether the process in which it is lives. */
const atWork = `at_work as (
  select unnest(running) as seq, beat_at >= clock_timestamp() - lease_ms * interval '1 ms' as alive
  from hosts where bot = $1
)`;
const state = "case when w.alive then 'running' when w.seq is not null then 'interrupted' else 'waiting' end";

/** $1 bot */
const counts: Query<readonly [string, number]> = {
  text: `
with ${atWork}
select ${state} as state, count(*) as updates
from updates u left join at_work w on w.seq = u.seq where u.bot = $1 group by 1
union all
select 'dead', count(*) from dead_letters where bot = $1`,
  row: (row) => [row.text('state'), row.integer('updates')],
};

/** $1 bot, $2 the number after which to go on, $3 ids or null, $4 states, $5 how many */
const updatesAfter: Query<SeenUpdate> = {
  text: `
with ${atWork}
select u.seq, u.update_id, u.key, u.kind, u.content, u.attempts + (w.seq is not null)::integer as attempts, u.deaths, u.cuts,
  ${state} as state,
  (extract(epoch from u.accepted_at) * 1000)::bigint as at_ms,
  case when u.not_before > clock_timestamp() then (extract(epoch from u.not_before) * 1000)::bigint end as not_before_ms
from updates u left join at_work w on w.seq = u.seq
where u.bot = $1 and u.seq > $2 and u.seq > 0 and ($3::bigint[] is null or u.update_id = any($3)) and ${state} = any($4::text[])
order by u.seq limit $5`,
  row: aliveEntry,
};

/** $1 bot, $2 and $3 the time and number after which to go on, $4 ids or null, $5 how many */
const lettersAfter: Query<{ readonly entry: SeenUpdate; readonly at: string }> = {
  text: `
select seq, update_id, key, kind, content, attempts, why, error, at::text as at,
  (extract(epoch from at) * 1000)::bigint as at_ms
from dead_letters
where bot = $1 and (at, seq) > ($2::timestamptz, $3::bigint) and ($4::bigint[] is null or update_id = any($4))
order by at, seq limit $5`,
  row: (row) => ({ entry: deadEntry(row), at: row.text('at') }),
};

/** $1 bot, $2 numbers */
const states: Query<readonly [Seq, UpdateState]> = {
  text: `
with ${atWork}
select u.seq, ${state} as state from updates u left join at_work w on w.seq = u.seq
where u.bot = $1 and u.seq = any($2::bigint[]) and u.seq > 0
union all
select seq, 'dead' from dead_letters where bot = $1 and seq = any($2::bigint[])`,
  row: (row) => [seq(row.integer('seq')), stateIn(row)],
};
