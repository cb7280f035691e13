/** Reads a store's log, once it is known to be this bot's, and of a format that this version knows. */
import { join } from 'node:path';
import { LastcallError } from '../../errors.js';
import type { Disk } from '../log/disk.js';
import { type FoundFrame, frameAt } from '../log/frame.js';
import { type Scan, scanLog } from '../log/scan.js';
import type { Ledger } from './ledger.js';
import { decodeHead, FORMAT, RecordKind } from './records.js';

/** A head holds some hundred ids at most, but for days on which Telegram was never answered. */
const LONGEST_HEAD_BYTES = 1024 * 1024;

export const logFolder = (folder: string): string => join(folder, 'log');

/**
 * Reads a store's log; the ledger then knows what is not settled.
 *
 * @throws LastcallError INBOX_FOREIGN, INBOX_NEWER; and what the disk throws
 */
export function readLog(disk: Disk, folder: string, ledger: Ledger, bot?: string): Scan {
  return scanLog(disk, logFolder(folder), (frame, place) => {
    if (frame.kind === RecordKind.head) checkHead(frame, folder, bot);
    ledger.replay(frame, place);
  });
}

/**
 * The same of the log's beginning only, which says whose it is. What cannot be read says nothing.
 *
 * @throws LastcallError INBOX_FOREIGN, INBOX_NEWER; and what the disk throws
 */
export function checkFirstHead(disk: Disk, folder: string, bot: string): void {
  const path = logFolder(folder);
  const [first] = disk.list(path);
  const frame =
    first === undefined ? undefined : frameAt(disk.read(join(path, first), 0, LONGEST_HEAD_BYTES), 0);
  if (frame?.kind === RecordKind.head) checkHead(frame, folder, bot);
}

function checkHead({ payload }: FoundFrame, folder: string, bot: string | undefined): void {
  const head = decodeHead(payload);
  if (head.format !== FORMAT)
    throw new LastcallError(
      'INBOX_NEWER',
      folder,
      `the inbox in ${folder} has format ${head.format}, and this version of lastcall knows format ${FORMAT}`,
    );
  if (bot !== undefined && head.bot !== bot)
    throw new LastcallError(
      'INBOX_FOREIGN',
      folder,
      `the inbox in ${folder} is that of bot ${head.bot}, not ${bot}`,
    );
}
