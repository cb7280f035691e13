/**
 * Who works with an inbox at the moment, as far as that can be told from here. On this host the bot's lock tells, which
 * dies with its holder; of a process in another container, or on another host with the same disk, there is only the
 * sign of life that it leaves in the inbox every few seconds.
 */
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { isHeld, lockAddress } from '../../host/lock.js';
import { HEARTBEAT_MS, heartbeatPath, parseHeartbeat } from '../../inbox/store/owner.js';
import type { BotInbox } from './bots.js';

export type Attendant =
  /** Nobody: between two runs, after the death of one, or while one starts. */
  | { readonly where: 'nowhere' }
  /** A process on this host; `id` is that of its run. */
  | { readonly where: 'here'; readonly id: string }
  /** A process in another place, if any: its last sign of life is so old. */
  | { readonly where: 'elsewhere'; readonly id: string; readonly place: string; readonly silentMs: number };

/** A process that is alive and well gives three signs in this time; the clocks of two hosts may differ by some of it. */
const SILENT_MS = 3 * HEARTBEAT_MS;

/**
 * Who holds the bot's lock and gives no sign for this long does not work with the inbox: it still starts after another
 * was killed, or keeps its updates in memory. A busy one gives signs late, but not that late.
 */
const ABSENT_MS = 12 * HEARTBEAT_MS;

/** Never rejects: what cannot be read says nothing. */
export async function attendantOf({ bot, folder }: BotInbox): Promise<Attendant> {
  const sign = readSign(heartbeatPath(folder));
  if (!sign) return { where: 'nowhere' };
  const { id, place, silentMs } = sign;
  if (place !== hostname()) return { where: 'elsewhere', id, place, silentMs };
  const held = await isHeld(lockAddress(bot));
  // Where the lock is a file, another user's is in another folder.
  const isAlive = held ? silentMs < ABSENT_MS : process.platform !== 'linux' && silentMs < SILENT_MS;
  return isAlive ? { where: 'here', id } : { where: 'nowhere' };
}

/** The id of the run that works with the inbox; undefined where none does, or probably none. */
export function idAtWork(attendant: Attendant): string | undefined {
  if (attendant.where === 'nowhere') return undefined;
  if (attendant.where === 'elsewhere' && attendant.silentMs >= SILENT_MS) return undefined;
  return attendant.id;
}

function readSign(
  path: string,
): { readonly place: string; readonly id: string; readonly silentMs: number } | undefined {
  try {
    const sign = parseHeartbeat(readFileSync(path, 'utf8'));
    return sign && { ...sign, silentMs: Math.max(0, Date.now() - statSync(path).mtimeMs) };
  } catch {
    return undefined;
  }
}
