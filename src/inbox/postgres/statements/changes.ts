/** What becomes of updates that were at work. */
import { CHANNEL } from './channel.js';
import { prepared } from './prepared.js';

/**
 * Writes down what has become of updates, what is at work, and which lanes are given back.
 * $1 host, $2 at work; $3 settled; $4–$7 given up: numbers, why, error, attempts;
 * $8–$12 put back: numbers, attempts, how often in all, how often as a retry, delays in milliseconds;
 * $13–$15 lanes: keys, up to where each was given, up to where all of it is settled; $16 whether the host drains
 */
export const change = prepared(
  'change',
  `
with me as (
  update hosts set running = $2::bigint[], draining = $16, beat_at = clock_timestamp() where id = $1 returning id, bot
), settled as (
  delete from updates using me where updates.seq = any($3::bigint[]) and updates.seq > 0
), letters as (
  insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts, error)
  select u.bot, u.seq, u.update_id, u.key, u.kind, u.content, d.why, d.attempts, d.error
  from me cross join unnest($4::bigint[], $5::text[], $6::text[], $7::integer[]) as d (seq, why, error, attempts)
  join updates u on u.seq = d.seq and u.seq = any($4::bigint[]) and u.seq > 0
  on conflict do nothing
), given_up as (
  delete from updates using me where updates.seq = any($4::bigint[]) and updates.seq > 0
), put_back as (
  update updates set attempts = p.attempts, put_backs = p.put_backs, retries = p.retries, deaths = 0, cuts = 0,
    not_before = clock_timestamp() + p.delay_ms * interval '1 ms'
  from me cross join unnest($8::bigint[], $9::integer[], $10::integer[], $11::integer[], $12::float8[])
    as p (seq, attempts, put_backs, retries, delay_ms)
  where updates.seq = p.seq and updates.seq = any($8::bigint[]) and updates.seq > 0
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
  (row) => ({ freed: row.integer('freed') }),
);
