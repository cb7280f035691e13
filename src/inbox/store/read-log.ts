/** Reads the log of an inbox, after checking that it belongs to this bot and has a format that this version knows. */
import { join } from 'node:path';
import { LastcallError } from '../../errors.js';
import type { Disk } from '../log/disk.js';
import { type FoundFrame, frameAt } from '../log/frame.js';
import { type Reading, readNow } from '../log/reading.js';
import { type Scan, scanning } from '../log/scan.js';
import type { Ledger } from './ledger.js';
import { decodeHeader } from './record-codec.js';
import { FORMAT, isReadable, RecordKind } from './records.js';

/** A header holds a few hundred ids, unless Telegram was not reached for days. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** The folder of the log in the folder of the inbox. */
export const logFolder = (folder: string): string => join(folder, 'log');

/** Replays the whole log into the ledger. Throws INBOX_FOREIGN, INBOX_NEWER; and what the disk throws. */
export function readLog(disk: Disk, folder: string, ledger: Ledger, bot?: string): Scan {
  return readNow(disk, readingLog(disk, folder, ledger, bot));
}

/** As `readLog`, in steps. */
export function readingLog(disk: Disk, folder: string, ledger: Ledger, bot?: string): Reading<Scan> {
  return scanning(disk, logFolder(folder), (frame, extent) => {
    if (frame.kind === RecordKind.header) checkHeader(frame, folder, bot);
    ledger.replay(frame, extent);
  });
}

/**
 * Checks the bot and the format by the first header of the log only. Passes if there is none that can be read. Throws
 * INBOX_FOREIGN, INBOX_NEWER; and what the disk throws.
 */
export function checkFirstHeader(disk: Disk, folder: string, bot: string): void {
  const path = logFolder(folder);
  const [first] = disk.list(path);
  if (first === undefined) return;
  const frame = frameAt(disk.read(join(path, first), 0, MAX_HEADER_BYTES), 0);
  if (frame?.kind === RecordKind.header) checkHeader(frame, folder, bot);
}

/** What former versions put behind the bot's id: a hash of its server. */
const FORMER_ENDING = /-[\da-f]{16}$/;

/** Whether the key in a header, which may be a former one, is that of the bot. */
const isSameBot = (found: string, bot: string): boolean =>
  found === bot || (FORMER_ENDING.test(found) && Number.parseInt(found, 10) === Number.parseInt(bot, 10));

function checkHeader({ payload }: FoundFrame, folder: string, bot: string | undefined): void {
  const header = decodeHeader(payload);
  if (!isReadable(header.format))
    throw new LastcallError(
      'INBOX_NEWER',
      folder,
      `the inbox in ${folder} has format ${header.format}, and this version of lastcall knows up to ${FORMAT}`,
    );
  if (bot !== undefined && !isSameBot(header.bot, bot))
    throw new LastcallError(
      'INBOX_FOREIGN',
      folder,
      `the inbox in ${folder} belongs to bot ${header.bot}, not to ${bot}`,
    );
}
