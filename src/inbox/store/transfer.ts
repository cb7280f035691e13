/** Reads a whole inbox on disk, or writes one, for a move. The caller holds the lock of the bot. */
import { dirname } from 'node:path';
import { type Seq, seq } from '../ids.js';
import { type Disk, systemDisk } from '../log/disk.js';
import { type MovedCounts, type MovedInbox, type MovedLetter, type MovedUpdate, slicesOf } from '../moved.js';
import { openStore } from './open-store.js';
import type { Store } from './store.js';
import { InboxView } from './view.js';

export interface TransferOptions {
  /** Default: the system's. */
  readonly disk?: Disk;
  readonly folder: string;
  readonly bot: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
}

/** A record holds one time of arrival for all its updates, which these are taken to share. */
const SAME_TIME_MS = 1_000;
const UPDATES_IN_RECORD = 100;

/** Opens an inbox to read all of it. Rejects as `openStore` does. */
export async function openToMove(
  options: TransferOptions,
): Promise<MovedInbox & { readonly counts: MovedCounts; close(): void }> {
  const { disk = systemDisk, folder, bot, now, signal } = options;
  const store = await openStore({
    ...{ disk, folder, bot, now, survivesPowerCut: true },
    ...(signal && { turns: { signal } }),
  });
  return {
    updates: updatesOf(store),
    letters: lettersOf(options),
    recent: store.ledger.recent.arrivals,
    counts: { updates: store.ledger.size, letters: store.deadLetters.size },
    close: () => store.close(),
  };
}

/** Makes an inbox of what is carried over; resolves once all of it is durable. Rejects as `openStore` does. */
export async function writeMoved(
  { disk = systemDisk, folder, bot, now }: TransferOptions,
  { updates, letters, recent }: MovedInbox,
): Promise<MovedCounts> {
  const store = await openStore({ disk, folder, bot, now, survivesPowerCut: true, recent });
  const counts = { updates: 0, letters: 0 };
  try {
    for await (const letter of letters) {
      const of = store.ledger.nextSeq;
      store.ledger.skipBehind(of);
      store.deadLetters.add({ ...letter, seq: of }, Buffer.from(letter.content));
      counts.letters++;
    }
    for await (const slice of slicesOf(updates, UPDATES_IN_RECORD)) {
      for (const together of ofSameTime(slice)) adopt(store, together);
      counts.updates += slice.length;
    }
    await store.commit();
    store.seal();
    // The folder itself has to be there after a power cut, too.
    disk.syncFolder(dirname(folder));
    return counts;
  } finally {
    store.close();
  }
}

async function* updatesOf(store: Store): AsyncGenerator<MovedUpdate> {
  for (const batch of store.ledger.batches())
    for (const { seq: of, acceptedAtMs, updateId, content } of store.read(batch, batch.seqs))
      yield {
        ...{ updateId, content: JSON.stringify(content), acceptedAtMs },
        ...store.ledger.endedAttemptsOf(of),
      };
}

async function* lettersOf({
  disk = systemDisk,
  folder,
  bot,
  now,
}: TransferOptions): AsyncGenerator<MovedLetter> {
  const unused = () => '';
  const view = new InboxView({ disk, folder, bot, now, runId: undefined, keyOf: unused, kindOf: unused });
  for (const { updateId, key, kind, why, attempts, atMs, error, text } of view.updates(['dead'])) {
    const content = text()?.toString();
    if (content !== undefined && why !== undefined)
      yield { updateId, key, kind, content, why, attempts, atMs, error };
  }
}

/** Splits updates where the time between two of their arrivals is too long for one record. */
function ofSameTime(updates: readonly MovedUpdate[]): readonly (readonly MovedUpdate[])[] {
  const groups: MovedUpdate[][] = [];
  for (const update of updates) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    const isSame = first && Math.abs(update.acceptedAtMs - first.acceptedAtMs) < SAME_TIME_MS;
    if (group && isSame) group.push(update);
    else groups.push([update]);
  }
  return groups;
}

function adopt(store: Store, updates: readonly MovedUpdate[]): void {
  const [first] = updates;
  if (!first) return;
  const begin: Seq = store.ledger.nextSeq;
  store.adopt(
    {
      ids: updates.map(({ updateId }) => updateId),
      contentIndexes: updates.map((_, index) => index),
      contents: Buffer.from(`[${updates.map(({ content }) => content).join()}]`),
    },
    first.acceptedAtMs,
    updates.flatMap(({ attempts, deaths, cuts, putBacks, retries, notBeforeMs }, index) =>
      attempts === 0
        ? []
        : [
            [
              seq(begin + index),
              { attempts, deaths, cuts, putBacks, retries, notBeforeMs, begun: false },
            ] as const,
          ],
    ),
  );
}
