/** How a process takes its leave of the others: it gives back what it has, in the time that a stop leaves for that. */
import { type Clock, within } from '../../clock.js';
import type { Seq } from '../ids.js';
import type { InboxReport } from '../inbox.js';
import { type DepartureOptions, leave } from './departure.js';
import type { Item } from './item.js';
import type { Parts } from './parts.js';
import { count } from './statements/counts.js';

export interface LeaveOptions<U> extends DepartureOptions {
  /** By which leases are measured. */
  readonly clock: Clock;
  /** Whether the inbox has failed, so that nothing more can be given back. */
  readonly hasFailed: boolean;
  readonly cause: 'stop' | 'fault';
  readonly withinMs: number;
  /** What is at work here. */
  readonly taken: readonly Item<U>[];
  /** How many updates of the bot are not settled, as far as is known. */
  readonly unsettled: number;
  /** So many updates were given up. */
  dropped(updates: number): void;
}

/** How long a stop waits for a database that does not answer. */
const GOODBYE_MS = 2_000;

/** How long the sessions may then take to end. */
const CLOSE_MS = 2_000;

/** What is left of a shorter stop's time for the sessions to end. */
const CLOSE_SHARE = 0.1;

/** Ends the parts of an inbox. Never rejects, and resolves within `withinMs`, also where the database does not answer. */
export async function takeLeave<U extends { readonly update_id: number }>(
  parts: Parts<U>,
  options: LeaveOptions<U>,
): Promise<InboxReport> {
  const { database, membership, writer } = parts;
  const { clock, taken } = options;
  const withinMs = Math.min(options.withinMs, GOODBYE_MS + CLOSE_MS);
  let left = options.unsettled;
  const endsAt = clock.now() + withinMs;
  const goodbye = giveBack(parts, options).then((unsettled) => {
    if (unsettled !== undefined) left = unsettled;
  });
  const isSaid = await within(Math.min(GOODBYE_MS, withinMs * (1 - CLOSE_SHARE)), clock, goodbye);
  writer.close();
  const leftMs = Math.max(0, endsAt - clock.now());
  // What the database has not answered by now it need not answer.
  await within(leftMs, clock, Promise.all([membership.end(), database.close(isSaid ? leftMs : 0)]));
  return { left, mayRepeat: [...taken.map((item) => item.updateId), ...writer.unwritten] };
}

/** Resolves with how many updates are left for the others, if that was counted. */
async function giveBack<U extends { readonly update_id: number }>(
  { database, membership, turns, writer, claims }: Parts<U>,
  { hasFailed, cause, taken, bot, dropped, ...departure }: LeaveOptions<U>,
): Promise<number | undefined> {
  const host = membership.id;
  const { held } = turns;
  if (held) await turns.end(held);
  await claims.settled();
  await writer.finish();
  await membership.end();
  if (hasFailed || host === undefined || host !== membership.id) return undefined;
  const running = taken.filter((item) => item.host === host).map((item): Seq => item.seq);
  const by = cause === 'stop' ? 'stop' : 'death';
  dropped(await leave(database, { host, running, by }, { ...departure, bot }));
  const [counted] = await database.work.query(count, [bot]);
  return counted?.unsettled;
}
