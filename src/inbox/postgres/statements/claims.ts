/** How a process gets lanes, and what it does where it does not know which it has got. */
import type { Row } from '../row.js';
import { prepared } from './prepared.js';

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

/**
 * Takes lanes that nobody has, those with the oldest updates first, and what has come for lanes that the host has. A lane
 * that somebody else has had since the statement began is left alone: what is read of it is out of date.
 * $1 host, $2 how many lanes, $3 the lanes that need no more, $4 how many updates of a lane, $5 the round of claims,
 * $6 of how many lanes that the host has
 */
export const claim = prepared(
  'claim',
  `
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
  claimedRow,
);

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

/**
 * Undoes what claims have taken of which the answers are not known, and begins a round of claims. The rows of the host and
 * of its lanes are locked. $1 host, $2 and $3 the lanes that it knows: keys, up to where each was given
 */
export const reconcile = prepared(
  'reconcile',
  `
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
  (row) => ({ round: row.integer('round') }),
);

/** $1 host */
export const lockLanes = prepared(
  'lock_lanes',
  `
select key from lanes where host = $1 order by key for update`,
);
