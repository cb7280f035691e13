/**
 * A snapshot of an inbox for those who only read: what is not settled and what is dead, without the contents. A
 * process may work with the inbox meanwhile, so the snapshot shows how it was at some moment of the reading.
 */
import type { Seq } from '../ids.js';
import type { Disk } from '../log/disk.js';
import type { Position } from '../log/position.js';
import { Ledger } from './ledger.js';
import { type DeadLettersOnDisk, readDeadLetters } from './read-dead-letters.js';
import { readLog } from './read-log.js';

export interface SnapshotOptions {
  readonly disk: Disk;
  /** The folder of the inbox; absolute. */
  readonly folder: string;
  /** The bot's key. */
  readonly bot: string;
  /** The id of the run that works with the inbox now, or undefined if none does. */
  readonly runId: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface Snapshot {
  readonly ledger: Ledger;
  /** Where each segment of the log begins, the oldest first. */
  readonly segments: readonly Position[];
  readonly deadLetters: DeadLettersOnDisk;
  /** The updates that have a dead letter. An update in the ledger that has just died may be among them. */
  readonly dead: ReadonlySet<Seq>;
  /** The updates whose handler is at work in the current run, or, if there is none, was when the last run died. */
  readonly begun: ReadonlySet<Seq>;
  /** How many bytes of the log that were durable cannot be read. */
  readonly damagedBytes: number;
}

/** Reads the whole inbox, but no contents. Throws INBOX_FOREIGN, INBOX_NEWER; and what the disk throws. */
export function readSnapshot({ disk, folder, bot, runId }: SnapshotOptions): Snapshot {
  const ledger = new Ledger();
  // The log first: an update that dies meanwhile is then seen twice, which can be told, instead of not at all.
  const { segments, damagedBytes } = readLog(disk, folder, ledger, bot);
  const deadLetters = readDeadLetters(disk, folder);
  // The run that has retried them has yet to remove them, or has died before that.
  for (const seq of ledger.retried.keys()) deadLetters.index.delete(seq);
  // The current run may not have written a segment yet; then what is begun was begun by an earlier run.
  if (runId !== undefined && runId !== (ledger.runId ?? runId)) ledger.endRun();
  const begun = ledger.histories().flatMap(([seq, history]) => (history.begun ? [seq] : []));
  if (runId === undefined) ledger.endRun();
  return {
    ledger,
    segments,
    deadLetters,
    dead: new Set(deadLetters.index.list().map(({ seq }) => seq)),
    begun: new Set(begun),
    damagedBytes,
  };
}
