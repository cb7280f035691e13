/** Opens the store: reads what earlier runs have left, repairs what is damaged, and prepares for writing. */

import { Log } from '../log/log.js';
import { readInTurns, type TurnOptions } from '../log/reading.js';
import type { Arrival } from '../recent-ids.js';
import { repairLog } from './compaction.js';
import { type Damage, setAside } from './damaged-copy.js';
import { type DeadLetterLimits, DeadLetters } from './dead-letters.js';
import { openingError } from './inbox-error.js';
import { Ledger } from './ledger.js';
import { logFolder, readingLog } from './read-log.js';
import { encodeHeader } from './record-codec.js';
import { FORMAT, RecordKind } from './records.js';
import { Store, type StoreOptions } from './store.js';

export interface OpenStoreOptions extends StoreOptions {
  /** The bot's key. */
  readonly bot: string;
  /** Tells this run of the program from all others, for those who read the log beside it. */
  readonly runId?: string;
  readonly segmentBytes?: number;
  readonly deadLetterLimits?: Partial<DeadLetterLimits>;
  /** The ids that Telegram may send again, for a new inbox that takes the place of another one. */
  readonly recent?: readonly Arrival[];
  /** See `DeadLettersOptions`. */
  readonly ageOf?: (atMs: number) => number;
  /** How opening takes turns with other work: a full inbox takes minutes on a slow disk. */
  readonly turns?: TurnOptions;
}

/**
 * Opens the store in the folder, or makes a new one. Damaged files are kept under another name, and what can be read
 * of them is rewritten. Rejects with a LastcallError: INBOX_UNAVAILABLE, INBOX_FOREIGN, INBOX_NEWER, INBOX_DISK; and with
 * the reason of a signal in `turns` that aborts.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  try {
    return await open(options);
  } catch (error) {
    if (options.turns?.signal?.aborted) throw error;
    throw openingError(options.folder, error);
  }
}

async function open(options: OpenStoreOptions): Promise<Store> {
  const { disk, folder, bot, runId, survivesPowerCut, now, segmentBytes, deadLetterLimits } = options;
  const { ageOf, turns = {}, recent = [] } = options;
  const ledger = new Ledger();
  const scan = await readInTurns(disk, readingLog(disk, folder, ledger, bot), turns);
  ledger.endRun();
  for (const arrival of recent) ledger.recent.add(arrival);
  const { deadLetters, damage: damagedLetters } = await DeadLetters.open(
    { disk, folder, survivesPowerCut, now, ageOf, ...(deadLetterLimits && { limits: deadLetterLimits }) },
    turns,
  );
  for (const { seq } of deadLetters.list()) ledger.skipBehind(seq);

  const path = logFolder(folder);
  disk.makeFolder(path);
  const damagedFolder = setAside(disk, path, scan, now());
  const log = await Log.open({
    disk,
    folder: path,
    scan,
    survivesPowerCut,
    header: () => ({
      kind: RecordKind.header,
      payload: encodeHeader({
        format: FORMAT,
        bot,
        ...(runId !== undefined && { runId }),
        nextSeq: ledger.nextSeq,
        recent: ledger.recent.arrivals,
      }),
    }),
    ...(segmentBytes !== undefined && { segmentBytes }),
    now,
    turns,
  });

  const damage: Damage[] = [];
  if (damagedFolder !== undefined)
    damage.push({ path: damagedFolder, bytes: scan.damagedBytes, saved: ledger.size });
  damage.push(...damagedLetters);
  if (damagedFolder !== undefined) await repairLog(log, ledger, damagedFolder, turns);

  const store = new Store({ disk, folder, survivesPowerCut, now }, { log, ledger, deadLetters, damage });
  // A run that was killed may have retried a dead letter and not removed it.
  deadLetters.remove(ledger.retried.keys());
  // A run that was killed may have added a dead letter and not settled its update.
  for (const { seq } of deadLetters.list()) if (ledger.batchOf(seq)) store.mark('settled', seq);
  return store;
}
