import { describe, expect, it } from '@jest/globals';
import { orderKey, type Seq, seq, updateId } from '../../../src/inbox/ids.js';
import type { Disk } from '../../../src/inbox/log/disk.js';
import { encodeFrame } from '../../../src/inbox/log/frame.js';
import { position } from '../../../src/inbox/log/position.js';
import { DeadLetters, type DeadLettersOptions } from '../../../src/inbox/store/dead-letters.js';
import {
  type DeadLettersOnDisk,
  readDeadLetters,
  readLetterPayload,
} from '../../../src/inbox/store/read-dead-letters.js';
import { decodeDeadLetter, encodeDeadLetter } from '../../../src/inbox/store/record-codec.js';
import { type DeadLetter, RecordKind } from '../../../src/inbox/store/records.js';
import { settle } from '../../support/fake-clock.js';
import { killedAfter } from '../log/killed-disk.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/state/inbox';
const LOG = `${folder}/dead-letters`;
const OLD_FILE = `${folder}/dead-letters.log`;
const NOW = 1_700_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

const openAll = (disk: Disk, options: Partial<DeadLettersOptions> = {}) =>
  DeadLetters.open({ disk, folder, survivesPowerCut: true, now: () => NOW, ...options });

const open = async (disk: Disk, options: Partial<DeadLettersOptions> = {}) =>
  (await openAll(disk, options)).deadLetters;

const letter = (number: number, rest: Partial<DeadLetter> = {}): DeadLetter => ({
  seq: seq(number),
  updateId: updateId(1_000 + number),
  key: orderKey('chat 7'),
  kind: 'message',
  why: 'failed',
  attempts: 1,
  atMs: NOW,
  error: 'Error: thrown',
  ...rest,
});

const summaryOf = ({ error: _, ...summary }: DeadLetter) => summary;
const seqsOf = (letters: DeadLetters): Seq[] => letters.list().map((one) => one.seq);
const seqsOn = (disk: Disk): Seq[] =>
  readDeadLetters(disk, folder)
    .index.list()
    .map((one) => one.seq);
const contentOf = (number: number) => Buffer.from(`content of ${number}`);
const segments = (disk: MemoryDisk) => disk.paths().filter((path) => path.startsWith(`${LOG}/`));
const bytesIn = (disk: MemoryDisk) => segments(disk).reduce((sum, path) => sum + disk.read(path).length, 0);

function fill(letters: DeadLetters, ...numbers: number[]): void {
  for (const number of numbers) letters.add(letter(number), contentOf(number));
}

/** A letter as those who only read see it. */
function readFrom(disk: Disk, { index, scan }: DeadLettersOnDisk, number: number) {
  const found = index.get(seq(number));
  return found && decodeDeadLetter(readLetterPayload(disk, folder, scan.segments, found));
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('dead letters', () => {
  it('are kept with all that is known, through restarts', async () => {
    const disk = new MemoryDisk();
    const kept = [
      letter(1),
      letter(2, { why: 'died', attempts: 3, error: undefined }),
      letter(5, { why: 'timed-out' }),
    ];
    for (const one of kept) (await open(disk)).add(one, contentOf(one.seq));
    const after = await open(disk);
    expect(after.list()).toEqual(kept.map(summaryOf));
    expect(after.size).toBe(3);
    expect(after.get(seq(2))).toEqual(summaryOf(kept[1] ?? letter(0)));
    expect(after.content(seq(5))?.toString()).toBe('content of 5');
    expect(after.get(seq(3))).toBeUndefined();
    expect(after.content(seq(3))).toBeUndefined();
    expect(readFrom(disk, readDeadLetters(disk, folder), 5)?.letter).toEqual(kept[2]);
  });

  it('touch nothing as long as there is nothing to write', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    expect([letters.list(), letters.dropExcess()]).toEqual([[], []]);
    await letters.compact();
    expect(disk.paths()).toEqual([]);
  });

  it('are kept once, when a run that was killed had got as far before', async () => {
    const disk = new MemoryDisk();
    fill(await open(disk), 1);
    const after = await open(disk);
    after.add(letter(1, { why: 'died' }), contentOf(1));
    expect(after.list()).toEqual([summaryOf(letter(1))]);
  });

  it('can be removed, for good', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    fill(letters, 1, 2, 3);
    letters.remove([seq(2), seq(99)]);
    expect(seqsOf(letters)).toEqual([1, 3]);
    expect(seqsOn(disk)).toEqual([1, 3]);
    (await open(disk)).remove([seq(3)]);
    const after = await open(disk);
    expect(seqsOf(after)).toEqual([1]);
    expect(after.content(seq(1))?.toString()).toBe('content of 1');
  });

  it('survive a power cut once they are synced', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    fill(letters, 1);
    await letters.sync();
    fill(letters, 2);
    disk.cutPower(() => 0);
    expect(seqsOn(disk)).toEqual([1]);
  });
});

describe('a sync', () => {
  it('is waited for by all whose letters it makes durable', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    fill(letters, 1);
    disk.holdSyncs = true;
    let synced = 0;
    for (let call = 0; call < 2; call++) void letters.sync().then(() => synced++);
    await settle();
    expect(synced).toBe(0);
    disk.releaseSyncs();
    await settle();
    expect(synced).toBe(2);
  });

  it('costs nothing where nothing was written', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    fill(letters, 1);
    await letters.sync();
    const { syncs } = disk;
    await letters.sync();
    expect(disk.syncs).toBe(syncs);
  });
});

describe('their limits', () => {
  it('drop nothing while letters are added or read, however many there are', async () => {
    const disk = new MemoryDisk();
    const limits = { number: 2, bytes: 10, ageMs: 1 };
    const letters = await open(disk, { limits });
    fill(letters, ...range(1, 50));
    expect(letters.size).toBe(50);
    const later = await open(disk, { limits, now: () => NOW + DAY_MS });
    expect(later.size).toBe(50);
    expect(seqsOn(disk)).toHaveLength(50);
  });

  it('by number: the oldest go first, for good, and are counted by their reasons', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk, { limits: { number: 3 } });
    letters.add(letter(1, { why: 'died' }), contentOf(1));
    fill(letters, 2, 3, 4, 5);
    letters.add(letter(6, { why: 'caught' }), contentOf(6));
    expect(letters.dropExcess()).toEqual([{ limit: 'number', letters: 3, why: { died: 1, failed: 2 } }]);
    expect(seqsOf(letters)).toEqual([4, 5, 6]);
    expect(seqsOn(disk)).toEqual([4, 5, 6]);
    expect(letters.dropExcess()).toEqual([]);
  });

  it('end at the first letter that must not go now', async () => {
    const letters = await open(new MemoryDisk(), { limits: { number: 1 } });
    fill(letters, 1, 2, 3, 4);
    expect(letters.dropExcess((of) => of !== 3)).toEqual([
      { limit: 'number', letters: 2, why: { failed: 2 } },
    ]);
    expect(seqsOf(letters)).toEqual([3, 4]);
  });

  it('by age', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    letters.add(letter(1, { atMs: NOW - 31 * DAY_MS }), contentOf(1));
    letters.add(letter(2, { atMs: NOW - 29 * DAY_MS }), contentOf(2));
    expect(letters.dropExcess()).toEqual([{ limit: 'ageMs', letters: 1, why: { failed: 1 } }]);
    expect(seqsOf(letters)).toEqual([2]);
    expect((await open(disk, { now: () => NOW + 2 * DAY_MS })).dropExcess()).toHaveLength(1);
    expect(seqsOn(disk)).toEqual([]);
  });

  it('drops what is too old behind a letter that a wrong clock has dated ahead', async () => {
    const letters = await open(new MemoryDisk(), { limits: { ageMs: DAY_MS } });
    letters.add(letter(1, { atMs: NOW + 9_000 * DAY_MS }), contentOf(1));
    letters.add(letter(2, { atMs: NOW - 2 * DAY_MS }), contentOf(2));
    fill(letters, 3);
    expect(letters.dropExcess()).toEqual([{ limit: 'ageMs', letters: 1, why: { failed: 1 } }]);
    expect(seqsOf(letters)).toEqual([1, 3]);
  });

  it('by size, after age and number', async () => {
    const disk = new MemoryDisk();
    const limits = { number: 9, bytes: 1_200 };
    const letters = await open(disk, { limits });
    letters.add(letter(1, { atMs: NOW - 31 * DAY_MS }), contentOf(1));
    for (const number of range(2, 11)) letters.add(letter(number), Buffer.alloc(100));
    expect(letters.dropExcess().map(({ limit }) => limit)).toEqual(['ageMs', 'number', 'bytes']);
    expect(letters.size).toBeGreaterThan(2);
    expect(letters.size).toBeLessThan(7);
    expect(seqsOn(disk)).toEqual(seqsOf(letters));
  });
});

describe('their log', () => {
  const segmentBytes = 2_000;

  it('does not grow while old letters are dropped for new ones, and then nothing is rewritten', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk, { segmentBytes, limits: { number: 20 } });
    let most = 0;
    for (const number of range(1, 1_000)) {
      letters.add(letter(number), contentOf(number));
      if (number % 10 > 0) continue;
      letters.dropExcess();
      const { reads } = disk;
      await letters.compact();
      expect(disk.reads).toBe(reads);
      most = Math.max(most, bytesIn(disk));
    }
    expect(seqsOf(letters)).toEqual(range(981, 1_000));
    expect(most).toBeLessThan(6 * segmentBytes);
    expect(disk.open).toBe(1);
    expect(seqsOn(disk)).toEqual(range(981, 1_000));
  });

  it('is rewritten a segment at a time where few letters are left, in their order', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk, { segmentBytes });
    for (const number of range(1, 200))
      letters.add(letter(number, { atMs: NOW + number }), contentOf(number));
    const kept = [1, 2, 60, 150, 199];
    letters.remove(
      range(1, 200)
        .filter((number) => !kept.includes(number))
        .map(seq),
    );
    const before = segments(disk).length;
    await letters.compact();
    expect(segments(disk).length).toBeGreaterThanOrEqual(before - 1);
    for (const _ of range(1, 100)) await letters.compact();
    expect(segments(disk).length).toBeLessThan(6);
    expect(seqsOf(letters)).toEqual(kept);
    expect(seqsOn(disk)).toEqual(kept);
    for (const number of kept) expect(letters.content(seq(number))).toEqual(contentOf(number));
    const after = await open(disk, { segmentBytes });
    expect(after.list()).toEqual(letters.list());
  });

  it('loses nothing and brings nothing back, whenever the process is killed amid dropping and compaction', async () => {
    for (let writes = 1; ; writes++) {
      const disk = new MemoryDisk();
      const letters = await open(disk, { segmentBytes });
      fill(letters, ...range(1, 100));
      await letters.sync();
      const limits = { number: 12 };
      const killed = await open(killedAfter(disk, writes), { segmentBytes, limits }).catch(() => undefined);
      let ended = false;
      try {
        killed?.dropExcess();
        for (const _ of range(1, 20)) await killed?.compact();
        ended = killed !== undefined;
      } catch {}
      const left = seqsOn(disk);
      expect(left).toEqual(left.length > 12 ? range(1, 100) : range(89, 100));
      const next = await open(disk, { segmentBytes });
      for (const number of left) expect(next.content(number)).toEqual(contentOf(number));
      if (ended) break;
    }
  });
});

describe('damage', () => {
  it('is none where the end was torn off', async () => {
    const disk = new MemoryDisk();
    fill(await open(disk), 1, 2);
    const [path = ''] = segments(disk);
    disk.truncate(path, disk.read(path).length - 5);
    const { deadLetters, damage } = await openAll(disk);
    expect(damage).toEqual([]);
    fill(deadLetters, 3);
    expect(seqsOn(disk)).toEqual([1, 3]);
  });

  it('is reported, kept, and takes only what it hit', async () => {
    const disk = new MemoryDisk();
    const letters = await open(disk);
    for (const number of [1, 2, 3, 4]) {
      fill(letters, number);
      await letters.sync();
    }
    const [path = ''] = segments(disk);
    const hit = disk.read(path).indexOf('content of 2');
    disk.damage(path, hit);
    const damaged = disk.read(path);
    const found = readDeadLetters(disk, folder);
    expect(found.scan.damagedBytes).toBeGreaterThan(0);
    expect(found.index.list().map((one) => one.seq)).toEqual([1, 3, 4]);
    const { deadLetters, damage } = await openAll(disk);
    const copy = `${LOG}.damaged-20231114T221320Z`;
    expect(damage).toEqual([{ path: copy, bytes: found.scan.damagedBytes, saved: 3 }]);
    expect(disk.read(path.replace(LOG, copy))).toEqual(damaged);
    expect(seqsOf(deadLetters)).toEqual([1, 3, 4]);
    expect(deadLetters.content(seq(3))?.toString()).toBe('content of 3');
    expect((await openAll(disk)).damage).toEqual([]);
    expect(seqsOn(disk)).toEqual([1, 3, 4]);
  });
});

describe('the file of earlier versions', () => {
  const frame = (number: number) =>
    encodeFrame(RecordKind.deadLetter, position(0), encodeDeadLetter(letter(number), contentOf(number)));
  const removal = (number: number) =>
    encodeFrame(RecordKind.removal, position(0), [Buffer.from(`${number}`)]);

  function write(disk: MemoryDisk, ...frames: Buffer[]): void {
    const file = disk.create(OLD_FILE);
    for (const bytes of frames) file.append(bytes);
    file.syncNow();
    file.close();
  }

  it('can be read, and its letters are moved when the inbox opens', async () => {
    const disk = new MemoryDisk();
    write(disk, frame(1), frame(2), frame(3), removal(2));
    const found = readDeadLetters(disk, folder);
    expect(found.index.list().map((one) => one.seq)).toEqual([1, 3]);
    expect(readFrom(disk, found, 3)?.content.toString()).toBe('content of 3');
    const { deadLetters, damage } = await openAll(disk);
    expect(damage).toEqual([]);
    expect(seqsOf(deadLetters)).toEqual([1, 3]);
    expect(deadLetters.content(seq(3))?.toString()).toBe('content of 3');
    expect(disk.paths()).not.toContain(OLD_FILE);
    disk.cutPower(() => 0);
    expect(seqsOn(disk)).toEqual([1, 3]);
  });

  it('is kept under another name where it is damaged', async () => {
    const disk = new MemoryDisk();
    write(disk, frame(1), frame(2), frame(3));
    disk.damage(OLD_FILE, Math.floor(frame(1).length * 1.5));
    expect(readDeadLetters(disk, folder).oldDamagedBytes).toBe(frame(2).length);
    const { deadLetters, damage } = await openAll(disk);
    const path = `${OLD_FILE}.damaged-20231114T221320Z`;
    expect(damage).toEqual([{ path, bytes: frame(2).length, saved: 2 }]);
    expect(seqsOf(deadLetters)).toEqual([1, 3]);
    expect(disk.paths()).toContain(path);
  });
});
