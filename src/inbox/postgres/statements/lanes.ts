/** Updates that have come in as rows `fresh` of `updates`: their lanes are there, and end with the newest of them. */
export const upsertLanes = `
  insert into lanes (bot, key, first, last)
  select bot, key, min(seq), max(seq) from fresh group by bot, key order by key
  on conflict (bot, key) do update set last = greatest(lanes.last, excluded.last)`;
