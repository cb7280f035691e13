/**
 * Finds the process that owns an inbox. On this host, the bot's lock tells whether the owner is alive. An owner in another
 * container, or on another host with the same disk, is known only by the heartbeat that it writes into the inbox every few
 * seconds.
 */
import { statSync } from 'node:fs';
import { isHeld, lockAddress } from '../../host/lock.js';
import { currentPlace, hostOf } from '../../host/place.js';
import { readText } from '../../host/read-text.js';
import { HEARTBEAT_MS, heartbeatPath, parseHeartbeat } from '../../inbox/store/owner.js';
import { durationInWords } from '../../words.js';
import type { BotInbox } from './choose-inbox.js';

export type InboxOwner =
  /** No process: between two runs, after a crash, or while a process starts. */
  | { readonly kind: 'none' }
  /** A process on this host. */
  | { readonly kind: 'local'; readonly runId: string }
  /** A process on another host, which may have ended. `silentMs` is the age of its last heartbeat. */
  | { readonly kind: 'remote'; readonly runId: string; readonly host: string; readonly silentMs: number };

/** A live owner gives three heartbeats in this time, which leaves room for a difference between two hosts' clocks. */
const SILENT_MS = 3 * HEARTBEAT_MS;

/**
 * A process that holds the bot's lock but has written no heartbeat for this long does not own the inbox: it is still
 * starting after another process was killed, or keeps its updates in memory. A busy owner is never this late.
 */
const ABSENT_MS = 12 * HEARTBEAT_MS;

/** Finds the owner of an inbox. Never rejects: an unreadable heartbeat counts as a missing one. */
export async function findOwner({ botKey, folder }: BotInbox): Promise<InboxOwner> {
  const heartbeat = readHeartbeat(heartbeatPath(folder));
  if (!heartbeat) return { kind: 'none' };
  const { id: runId, place, silentMs } = heartbeat;
  if (place !== currentPlace()) return { kind: 'remote', runId, host: hostOf(place), silentMs };
  const held = await isHeld(lockAddress(botKey));
  // Only on Linux is the lock visible to every user. Elsewhere it is a file in a folder of the owner's user.
  const isAlive = held ? silentMs < ABSENT_MS : process.platform !== 'linux' && silentMs < SILENT_MS;
  return isAlive ? { kind: 'local', runId } : { kind: 'none' };
}

/** The id of the run that owns the inbox, or undefined if there is no owner or it has probably ended. */
export function runIdOf(owner: InboxOwner): string | undefined {
  if (owner.kind === 'none') return undefined;
  if (owner.kind === 'remote' && owner.silentMs >= SILENT_MS) return undefined;
  return owner.runId;
}

/** Describes the owner in a sentence. */
export function ownerInWords(owner: InboxOwner): string {
  if (owner.kind === 'none') return 'Not in use.';
  if (owner.kind === 'local') return 'In use by a process on this host.';
  const age = durationInWords(owner.silentMs);
  return `In use by a process on ${owner.host}, last seen ${age} ago; whether it still runs cannot be checked from here.`;
}

function readHeartbeat(path: string) {
  try {
    const heartbeat = parseHeartbeat(readText(path) ?? '');
    return heartbeat && { ...heartbeat, silentMs: Math.max(0, Date.now() - statSync(path).mtimeMs) };
  } catch {
    return undefined;
  }
}
