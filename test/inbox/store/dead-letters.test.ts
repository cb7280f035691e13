import { describe, expect, it } from '@jest/globals';
import { orderKey, type Seq, seq, updateId } from '../../../src/inbox/ids.js';
import { DeadLetters, type DeadLettersOptions } from '../../../src/inbox/store/dead-letters.js';
import type { DeadLetter } from '../../../src/inbox/store/records.js';
import { settle } from '../../support/fake-clock.js';
import { MemoryDisk } from '../log/memory-disk.js';

const folder = '/state/inbox';
const FILE = `${folder}/dead-letters.log`;
const NOW = 1_700_000_000_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

const open = (disk: MemoryDisk, options: Partial<DeadLettersOptions> = {}) =>
  new DeadLetters({ disk, folder, now: () => NOW, ...options });

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

const seqsOf = (letters: DeadLetters): Seq[] => letters.list().map((one) => one.seq);
const contentOf = (number: number) => Buffer.from(`content of ${number}`);

function fill(letters: DeadLetters, ...numbers: number[]): void {
  for (const number of numbers) letters.add(letter(number), contentOf(number));
}

describe('dead letters', () => {
  it('are kept with all that is known, through restarts', () => {
    const disk = new MemoryDisk();
    const kept = [
      letter(1),
      letter(2, { why: 'died', attempts: 3, error: undefined }),
      letter(5, { why: 'timed-out' }),
    ];
    for (const one of kept) open(disk).add(one, contentOf(one.seq));
    const after = open(disk);
    expect(after.list()).toEqual(kept);
    expect(after.get(seq(2))).toEqual(kept[1]);
    expect(after.content(seq(5))?.toString()).toBe('content of 5');
    expect(after.get(seq(3))).toBeUndefined();
    expect(after.content(seq(3))).toBeUndefined();
  });

  it('touch nothing as long as there is nothing to write', () => {
    const disk = new MemoryDisk();
    expect(open(disk).list()).toEqual([]);
    expect(disk.paths()).toEqual([]);
  });

  it('are kept once, when a run that was killed had got as far before', () => {
    const disk = new MemoryDisk();
    fill(open(disk), 1);
    const after = open(disk);
    after.add(letter(1, { why: 'died' }), contentOf(1));
    expect(after.list()).toEqual([letter(1)]);
  });

  it('can be removed, for good', () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    fill(letters, 1, 2, 3);
    letters.remove(seq(2));
    letters.remove(seq(99));
    expect(seqsOf(letters)).toEqual([1, 3]);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
    const after = open(disk);
    after.remove(seq(3));
    expect(seqsOf(open(disk))).toEqual([1]);
    expect(open(disk).content(seq(1))?.toString()).toBe('content of 1');
  });

  it('survive a power cut once they are synced', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    fill(letters, 1);
    await letters.sync();
    fill(letters, 2);
    disk.cutPower(() => 0);
    expect(seqsOf(open(disk))).toEqual([1]);
  });
});

describe('a sync', () => {
  it('is waited for by all whose letters it makes durable', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
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

  it('keeps its file open, though that is replaced meanwhile', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk, { limits: { bytes: 300 } });
    fill(letters, 1);
    disk.holdSyncs = true;
    const synced = letters.sync();
    await settle();
    fill(letters, 2, 3, 4, 5);
    expect(disk.open).toBe(2);
    disk.releaseSyncs();
    await synced;
    await settle();
    expect(disk.open).toBe(1);
  });
});

describe('their limits', () => {
  it('by number: the oldest go first, for good', () => {
    const disk = new MemoryDisk();
    const letters = open(disk, { limits: { number: 3 } });
    fill(letters, 1, 2, 3, 4, 5);
    expect(seqsOf(letters)).toEqual([3, 4, 5]);
    expect(seqsOf(open(disk, { limits: { number: 3 } }))).toEqual([3, 4, 5]);
  });

  it('by age, also where none is added any more', () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    letters.add(letter(1, { atMs: NOW - 31 * DAY_MS }), contentOf(1));
    letters.add(letter(2, { atMs: NOW - 29 * DAY_MS }), contentOf(2));
    expect(seqsOf(letters)).toEqual([2]);
    expect(seqsOf(open(disk, { now: () => NOW + 2 * DAY_MS }))).toEqual([]);
  });

  it('by size: neither they nor their file grow without end', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk, { limits: { bytes: 2_000 } });
    for (let number = 1; number <= 300; number++) {
      letters.add(letter(number), Buffer.alloc(100));
      expect(disk.read(FILE).length).toBeLessThanOrEqual(4_500);
    }
    expect(letters.list().length).toBeGreaterThan(4);
    expect(letters.list().length).toBeLessThan(20);
    expect(letters.content(seq(300))).toEqual(Buffer.alloc(100));
    await settle();
    expect(disk.open).toBe(1);
  });
});

describe('damage', () => {
  it('is none where the end was torn off', () => {
    const disk = new MemoryDisk();
    fill(open(disk), 1, 2);
    disk.truncate(FILE, disk.read(FILE).length - 5);
    const letters = open(disk);
    expect(letters.damaged).toBe(false);
    expect(letters.repair()).toEqual([]);
    fill(letters, 3);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
  });

  it('is reported, copied, and takes only what it hit', () => {
    const disk = new MemoryDisk();
    fill(open(disk), 1, 2, 3);
    const [length] = [disk.read(FILE).length / 3];
    disk.damage(FILE, Math.floor(length * 1.5));
    const damaged = disk.read(FILE);
    const letters = open(disk);
    expect(letters.damaged).toBe(true);
    expect(seqsOf(letters)).toEqual([1, 3]);
    const path = `${FILE}.damaged-20231114T221320Z`;
    expect(letters.repair()).toEqual([{ path, bytes: length, saved: 2 }]);
    expect(disk.read(path)).toEqual(damaged);
    expect(letters.damaged).toBe(false);
    expect(open(disk).damaged).toBe(false);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
    expect(letters.content(seq(3))?.toString()).toBe('content of 3');
  });
});
