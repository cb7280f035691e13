/** What the files in a bot's folder tell where no process answers. Nothing is changed. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LastcallError } from '../../errors.js';
import { readBootId } from '../../host/boot-id.js';
import { isAlive } from '../../host/is-alive.js';
import { isHeld, lockAddress } from '../../host/lock.js';
import { readText } from '../../host/read-text.js';
import { LAST_RUN_FILE, parseRunRecord, type RunRecord } from '../../host/run-record.js';
import { tryOr } from '../../thrown.js';
import { readJournal } from '../inbox/journal.js';
import type { InboxOwner } from '../inbox/owner.js';
import type { BotFolder } from './places.js';

interface InboxOnDisk {
  readonly waiting: number;
  /** Updates whose handler is, or was, at work. */
  readonly begun: number;
  readonly dead: number;
  readonly oldestMs: number | undefined;
  readonly owner: InboxOwner;
}

export interface OnDisk {
  /** How the last run was when it wrote that down last; undefined if none has. */
  readonly lastRun: RunRecord | undefined;
  /** Whether the process of the last run still runs, as far as can be told. */
  readonly isRunning: boolean;
  readonly inbox: InboxOnDisk | undefined;
  /** Why the inbox cannot be read, if it cannot. */
  readonly unreadable: string | undefined;
}

/** The unit in which stat(2) counts, whatever the file system. */
const BLOCK = 512;

/** @param isListening whether a process holds a socket in the folder without answering */
export async function readFromDisk(bot: BotFolder, isListening: boolean, nowMs: number): Promise<OnDisk> {
  const lastRun = parseRunRecord(readText(join(bot.folder, LAST_RUN_FILE)) ?? '');
  const isRunning = isListening || (await isStillRunning(lastRun, bot.key));
  try {
    return { lastRun, isRunning, inbox: await inboxOf(bot, nowMs), unreadable: undefined };
  } catch (error) {
    if (!(error instanceof LastcallError)) throw error;
    return { lastRun, isRunning, inbox: undefined, unreadable: error.message };
  }
}

/** Whether the process of the last run still runs. The id of one that has ended may be that of another by now, which does not hold the bot's lock. */
export async function isStillRunning(lastRun: RunRecord | undefined, key: string): Promise<boolean> {
  if (!lastRun || lastRun.phase === 'stopped' || lastRun.bootId !== readBootId()) return false;
  return isAlive(lastRun.pid) && (await isHeld(lockAddress(key)));
}

async function inboxOf({ key, folder }: BotFolder, nowMs: number): Promise<InboxOnDisk | undefined> {
  const path = join(folder, 'inbox');
  if (!tryOr(() => lstatSync(path).isDirectory(), false)) return undefined;
  const { owner, view } = await readJournal({ botKey: key, folder: path });
  const { running, interrupted, waiting, dead } = view.counts;
  let oldestMs: number | undefined;
  for (const { atMs } of view.updates(['running', 'interrupted', 'waiting'])) {
    oldestMs = Math.max(0, nowMs - atMs);
    break;
  }
  return { waiting, begun: running + interrupted, dead, oldestMs, owner };
}

/** How much of the disk the files of a bot's inbox take, in bytes. Files may go while they are counted. */
export const inboxBytes = ({ folder }: BotFolder): number => bytesIn(join(folder, 'inbox'));

function bytesIn(folder: string): number {
  const entries = tryOr(() => readdirSync(folder, { withFileTypes: true }), []);
  return entries.reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : tryOr(() => lstatSync(path).blocks * BLOCK, 0));
  }, 0);
}
