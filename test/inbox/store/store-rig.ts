/** A store on a disk in memory, and what it holds in a form that can be compared. */
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import type { Disk } from '../../../src/inbox/log/disk.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import { readLog } from '../../../src/inbox/store/read-log.js';
import type { Store } from '../../../src/inbox/store/store.js';
import { type NewRow, newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

export const folder = '/state/inbox';
export const bot = '1-a';
export const NOW = 1_700_000_000_000;

interface Rig {
  readonly disk?: Disk;
  readonly survivesPowerCut?: boolean;
  readonly segmentBytes?: number;
  readonly now?: () => number;
}

export const open = ({
  disk = new MemoryDisk(),
  survivesPowerCut = true,
  segmentBytes = 1_000,
  now = () => NOW,
}: Rig = {}) => openStore({ disk, folder, bot, survivesPowerCut, now, segmentBytes });

export const update = (id: number, content = `text of ${id}`): NewRow => ({ updateId: id, content });
export const letter = (number: number, id: number) =>
  ({
    seq: seq(number),
    updateId: updateId(id),
    key: orderKey('chat'),
    kind: 'message',
    why: 'failed',
    attempts: 1,
    atMs: NOW,
    error: '',
  }) as const;
export const updates = (...ids: number[]) => newUpdates(ids.map((id) => update(id)));

/** All updates that are not settled, as they can be read. */
export function contents(store: Store): string[] {
  return store.ledger
    .batches()
    .flatMap((batch) => store.read(batch, batch.seqs))
    .map((stored) => `${stored.seq} ${stored.updateId} ${stored.content}`);
}

/** What the ledger knows, apart from where the records are. */
export function stateOf(ledger: Ledger) {
  return {
    seqs: ledger.batches().flatMap((batch) => batch.seqs),
    size: ledger.size,
    histories: [...ledger.histories()].sort(([one], [other]) => one - other),
    nextSeq: ledger.nextSeq,
  };
}

/** The ledger as it is read from the disk. */
export function replayed(disk: Disk): Ledger {
  const ledger = new Ledger();
  readLog(disk, folder, ledger);
  return ledger;
}
