import { describe, expect, it } from '@jest/globals';
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

const letter = (seq: number, rest: Partial<DeadLetter> = {}): DeadLetter => ({
  seq,
  updateId: 1_000 + seq,
  key: 'chat 7',
  kind: 'message',
  why: 'failed',
  attempts: 1,
  atMs: NOW,
  error: 'Error: thrown',
  ...rest,
});

const seqsOf = (letters: DeadLetters): number[] => letters.list().map(({ seq }) => seq);
const textOf = (seq: number) => Buffer.from(`text of ${seq}`);

function fill(letters: DeadLetters, ...seqs: number[]): void {
  for (const seq of seqs) letters.add(letter(seq), textOf(seq));
}

describe('dead letters', () => {
  it('are kept with all that is known, through restarts', () => {
    const disk = new MemoryDisk();
    const kept = [
      letter(1),
      letter(2, { why: 'died', attempts: 3, error: undefined }),
      letter(5, { why: 'timed-out' }),
    ];
    for (const one of kept) open(disk).add(one, textOf(one.seq));
    const after = open(disk);
    expect(after.list()).toEqual(kept);
    expect(after.get(2)).toEqual(kept[1]);
    expect(after.text(5)?.toString()).toBe('text of 5');
    expect(after.get(3)).toBeUndefined();
    expect(after.text(3)).toBeUndefined();
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
    after.add(letter(1, { why: 'died' }), textOf(1));
    expect(after.list()).toEqual([letter(1)]);
  });

  it('can be removed, for good', () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    fill(letters, 1, 2, 3);
    letters.remove(2);
    letters.remove(99);
    expect(seqsOf(letters)).toEqual([1, 3]);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
    const after = open(disk);
    after.remove(3);
    expect(seqsOf(open(disk))).toEqual([1]);
    expect(open(disk).text(1)?.toString()).toBe('text of 1');
  });

  it('survive a power cut once they are synced', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    fill(letters, 1);
    await letters.sync('added');
    fill(letters, 2);
    disk.cutPower(() => 0);
    expect(seqsOf(open(disk))).toEqual([1]);
  });
});

describe('a sync', () => {
  it('is waited for by all whose letters it makes safe', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk);
    fill(letters, 1);
    disk.holdSyncs = true;
    let synced = 0;
    for (let call = 0; call < 2; call++) void letters.sync('added').then(() => synced++);
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
    const synced = letters.sync('added');
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
    letters.add(letter(1, { atMs: NOW - 31 * DAY_MS }), textOf(1));
    letters.add(letter(2, { atMs: NOW - 29 * DAY_MS }), textOf(2));
    expect(seqsOf(letters)).toEqual([2]);
    expect(seqsOf(open(disk, { now: () => NOW + 2 * DAY_MS }))).toEqual([]);
  });

  it('by size: neither they nor their file grow without end', async () => {
    const disk = new MemoryDisk();
    const letters = open(disk, { limits: { bytes: 2_000 } });
    for (let seq = 1; seq <= 300; seq++) {
      letters.add(letter(seq), Buffer.alloc(100));
      expect(disk.read(FILE).length).toBeLessThanOrEqual(4_500);
    }
    expect(letters.list().length).toBeGreaterThan(4);
    expect(letters.list().length).toBeLessThan(20);
    expect(letters.text(300)).toEqual(Buffer.alloc(100));
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
    expect(letters.mend()).toEqual([]);
    fill(letters, 3);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
  });

  it('is told, set aside, and takes only what it hit', () => {
    const disk = new MemoryDisk();
    fill(open(disk), 1, 2, 3);
    const [length] = [disk.read(FILE).length / 3];
    disk.damage(FILE, Math.floor(length * 1.5));
    const damaged = disk.read(FILE);
    const letters = open(disk);
    expect(letters.damaged).toBe(true);
    expect(seqsOf(letters)).toEqual([1, 3]);
    const path = `${FILE}.damaged-20231114T221320Z`;
    expect(letters.mend()).toEqual([{ path, bytes: length, saved: 2 }]);
    expect(disk.read(path)).toEqual(damaged);
    expect(letters.damaged).toBe(false);
    expect(open(disk).damaged).toBe(false);
    expect(seqsOf(open(disk))).toEqual([1, 3]);
    expect(letters.text(3)?.toString()).toBe('text of 3');
  });
});
