/**
 * Compaction keeps the log short. A segment can be removed once none of its records is needed; where a large log
 * holds little that is needed, the unsettled updates of its oldest segment are rewritten at the log's end.
 *
 * Repair rewrites all unsettled updates of a damaged log in the same way.
 */
import type { Log } from '../log/log.js';
import type { Position } from '../log/position.js';
import type { TurnOptions } from '../log/reading.js';
import type { Batch } from './batch.js';
import type { Ledger } from './ledger.js';
import { readRecord, unsettledUpdates } from './record-cache.js';
import { encodeMarks, encodeUpdates } from './record-codec.js';
import { noMarks, RecordKind, type UpdatesRecord } from './records.js';

/** A log is rewritten only if it is as long as this many segments of the oldest one's length. */
const MIN_SEGMENTS = 4;

/** A log is rewritten only if unsettled updates take less than this share of it. */
const MAX_NEEDED_SHARE = 1 / 2;

/** How many batches are rewritten in one go: a round of compaction takes some ten milliseconds at most. */
const MOST_REWRITTEN = 500;

/**
 * Rewrites unsettled updates of the oldest segment, if that frees enough; and if the segment has an older format, in any
 * case. Throws what the disk throws, and DamagedRecordError.
 */
export function rewriteOldestSegment(log: Log, ledger: Ledger, segmentEnd: Position): void {
  if (!isWorthRewriting(log, ledger, segmentEnd)) return;
  for (let left = MOST_REWRITTEN; left > 0; left--) {
    const { oldestBatch } = ledger;
    if (!oldestBatch || oldestBatch.extent.position >= segmentEnd) return;
    rewrite(oldestBatch, log, ledger);
  }
}

function isWorthRewriting(log: Log, ledger: Ledger, segmentEnd: Position): boolean {
  if (log.start < ledger.outdatedEnd) return true;
  const isShort = log.bytes < MIN_SEGMENTS * (segmentEnd - log.start);
  // What people wrote is not to stay there for long once it is settled, however little it is.
  const isOld = segmentEnd <= log.renewedEnd;
  return (isOld || !isShort) && ledger.bytes <= log.bytes * MAX_NEEDED_SHARE;
}

/** The position of the oldest record that is needed, or the log's end if none is. */
export function oldestNeeded(log: Log, ledger: Ledger): Position {
  return ledger.oldestBatch?.extent.position ?? log.end;
}

/**
 * Rewrites all unsettled updates of a damaged log, and then moves its old segments to another folder. Whenever the
 * process dies meanwhile, the next one finds everything that can be read. Rejects with the disk's error.
 */
export async function repairLog(
  log: Log,
  ledger: Ledger,
  damagedFolder: string,
  turns: TurnOptions = {},
): Promise<void> {
  const { end } = log;
  // Begins a segment even if no update is left: its header keeps the ids that Telegram may send again.
  log.append(RecordKind.marks, encodeMarks(noMarks()));
  for (const [index, batch] of ledger.batches().entries()) {
    rewrite(batch, log, ledger);
    if (index % MOST_REWRITTEN < MOST_REWRITTEN - 1) continue;
    await log.sync();
    turns.progress?.();
    turns.signal?.throwIfAborted();
  }
  await log.sync();
  log.moveBefore(end, damagedFolder);
}

/** Rewrites the unsettled updates of a batch at the log's end, with their histories. */
function rewrite(batch: Batch, log: Log, ledger: Ledger): void {
  // Not through the cache: handlers may have changed the contents that it holds.
  const record = readRecord(log, batch.extent);
  const updates = unsettledUpdates(batch, record, batch.seqs);
  const rewritten: UpdatesRecord = {
    atMs: record.atMs,
    confirmedOffset: undefined,
    seqs: updates.map(({ seq }) => seq),
    ids: updates.map(({ updateId }) => updateId),
    contentIndexes: updates.map((_, index) => index),
    histories: updates
      .map(({ seq }) => [seq, ledger.historyOf(seq)] as const)
      .filter(([, { attempts }]) => attempts > 0),
    marks: noMarks(),
  };
  const contents = Buffer.from(JSON.stringify(updates.map(({ content }) => content)));
  ledger.move(batch, log.append(RecordKind.rewritten, encodeUpdates(rewritten, contents)));
}
