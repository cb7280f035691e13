/** A retry of dead letters, in whatever moment the process is killed or the power is cut. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seq } from '../../../src/inbox/ids.js';
import { readSnapshot } from '../../../src/inbox/store/snapshot.js';
import type { Store } from '../../../src/inbox/store/store.js';
import { newUpdates } from '../../support/new-updates.js';
import { killedAfter } from '../log/killed-disk.js';
import { MemoryDisk } from '../log/memory-disk.js';
import { bot, folder, letter, NOW, open, update } from './store-rig.js';

const letters = [
  { of: 41, id: 7 },
  { of: 42, id: 8 },
  { of: 43, id: 9 },
];

/** Three dead letters, and a log of several segments, so that compaction has something to do. */
async function prepared(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const store = await open({ disk, segmentBytes: 200 });
  for (const { of, id } of letters) store.addDeadLetter(letter(of, id), Buffer.from(`"text of ${id}"`));
  for (let id = 100; id < 110; id++) {
    store.mark('settled', store.append(newUpdates([update(id)]), undefined));
    await store.commit();
  }
  store.close();
  return disk;
}

/** What a run does that retries all letters, as long as it lives. */
async function retryAll(store: Store): Promise<void> {
  for (const { of } of letters) store.retryDeadLetter(seq(of));
  store.write();
  await store.commit();
  await store.compact();
}

/** Where each of the updates is: once as a dead letter, or once waiting. */
function places(store: Store): readonly string[] {
  const waiting = store.ledger
    .batches()
    .flatMap((batch) => store.read(batch, batch.seqs))
    .map(({ updateId }) => updateId);
  const dead = store.deadLetters.list().map(({ updateId }) => updateId);
  return letters.map(({ id }) =>
    [
      ...waiting.filter((one) => one === id).map(() => 'waits'),
      ...dead.filter((one) => one === id).map(() => 'dead'),
    ].join(),
  );
}

/** The same for those who only read. */
function seenPlaces(disk: MemoryDisk): readonly string[] {
  const { ledger, deadLetters } = readSnapshot({ disk, folder, bot, runId: undefined, now: () => NOW });
  const dead = deadLetters.index.list().map(({ updateId }) => Number(updateId));
  return [`${ledger.size} wait`, ...letters.map(({ id }) => `${dead.filter((one) => one === id).length}`)];
}

describe('a retry', () => {
  it.each(['kill', 'power cut'] as const)(
    'leaves each update in one place, whenever a %s comes',
    async (end) => {
      for (let changes = 1; ; changes++) {
        const disk = await prepared();
        let ended = false;
        try {
          await retryAll(await open({ disk: killedAfter(disk, changes), segmentBytes: 200 }));
          ended = true;
        } catch {}
        const before = disk.copy();
        // What a power cut leaves is drawn ten times; a kill leaves everything.
        const draws = fc.array(fc.nat({ max: 999 }), { minLength: 50, maxLength: 50 });
        const randoms = end === 'kill' ? [[]] : fc.sample(draws, 10);
        for (const numbers of randoms) {
          const after = before.copy();
          let at = 0;
          if (end === 'kill') after.kill();
          else after.cutPower(() => (numbers[at++ % numbers.length] ?? 0) / 1_000);
          const seen = seenPlaces(after);
          const next = await open({ disk: after, segmentBytes: 200 });
          const found = places(next);
          expect(found.filter((place) => place !== 'waits' && place !== 'dead')).toEqual([]);
          expect(seen).toEqual([
            `${found.filter((place) => place === 'waits').length} wait`,
            ...found.map((place) => (place === 'dead' ? '1' : '0')),
          ]);
          await retryAll(next);
          expect(places(next)).toEqual(['waits', 'waits', 'waits']);
          next.close();
          expect(places(await open({ disk: after, segmentBytes: 200 }))).toEqual(['waits', 'waits', 'waits']);
        }
        if (ended) break;
      }
    },
  );
});
