/** Tells how much an inbox holds, without opening it. */
import { systemDisk } from '../log/disk.js';
import { readInTurns, type TurnOptions } from '../log/reading.js';
import { Ledger } from './ledger.js';
import { readingDeadLetters } from './read-dead-letters.js';
import { readingLog } from './read-log.js';

export interface InboxContents {
  /** The updates that are not settled, dead letters not included. */
  readonly updates: number;
  readonly dead: number;
}

/** Counts what is in the inbox. Rejects with INBOX_NEWER, with what the disk throws, and with the signal's reason. */
export async function countContents(folder: string, turns?: TurnOptions): Promise<InboxContents> {
  const ledger = new Ledger();
  await readInTurns(systemDisk, readingLog(systemDisk, folder, ledger), turns);
  const { index } = await readInTurns(systemDisk, readingDeadLetters(systemDisk, folder), turns);
  for (const seq of ledger.retried.keys()) index.delete(seq);
  const dying = index.list().filter(({ seq }) => ledger.batchOf(seq)).length;
  return { updates: ledger.size - dying, dead: index.size };
}
