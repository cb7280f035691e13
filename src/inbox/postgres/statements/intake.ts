/** How a batch comes in. */
import { CHANNEL } from './channel.js';
import { upsertLanes } from './lanes.js';
import { prepared } from './prepared.js';

/**
 * Takes a batch, if the turn in which it was fetched still lasts and no other batch has been taken in it since.
 * $1 bot, $2 epoch, $3 batches so far, $4 offset, $5 recent ids; $6–$10 the updates: ids, keys, albums, kinds, contents
 */
export const accept = prepared(
  'accept',
  `
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
), lane as (${upsertLanes}
  returning bot
)
select fence.bot, (select pg_notify('${CHANNEL}', bot) from lane limit 1) as notified from fence`,
  () => true,
);
