import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Log } from '../../../src/inbox/log/log.js';
import { type Extent, type Position, position } from '../../../src/inbox/log/position.js';
import { readNow } from '../../../src/inbox/log/reading.js';
import { type Scan, scanning, segmentPath } from '../../../src/inbox/log/scan.js';
import { settle } from '../../support/fake-clock.js';
import { MemoryDisk } from './memory-disk.js';

const scanLog = (...[disk, ...rest]: Parameters<typeof scanning>): Scan =>
  readNow(disk, scanning(disk, ...rest));

const folder = '/log';
const HEADER = 1;
const RECORD = 2;
const nothing: Scan = { end: position(0), segments: [], discarded: [], damagedBytes: 0 };

interface Rig {
  readonly disk?: MemoryDisk;
  readonly scan?: Scan;
  readonly survivesPowerCut?: boolean;
  readonly segmentBytes?: number;
  readonly now?: () => number;
}

async function open({
  disk = new MemoryDisk(),
  scan = nothing,
  survivesPowerCut = true,
  segmentBytes,
  now = () => 0,
}: Rig = {}) {
  const log = await Log.open({
    disk,
    folder,
    scan,
    survivesPowerCut,
    header: () => ({ kind: HEADER, payload: [Buffer.from('header')] }),
    ...(segmentBytes !== undefined && { segmentBytes }),
    now,
  });
  return { disk, log, append: (text: string) => log.append(RECORD, [Buffer.from(text)]) };
}

function recordsOf(disk: MemoryDisk): { readonly texts: string[]; readonly scan: Scan } {
  const texts: string[] = [];
  const scan = scanLog(disk, folder, ({ kind, payload }) => {
    if (kind === RECORD) texts.push(payload.toString());
  });
  return { texts, scan };
}

describe('appending', () => {
  it('returns extents that can be read, and that a scan finds', async () => {
    const { disk, log, append } = await open({ segmentBytes: 100 });
    const written = new Map<string, Extent>();
    for (let i = 0; i < 20; i++) written.set(`record ${i}`, append(`record ${i}`));
    const found = new Map<string, Extent>();
    scanLog(disk, folder, ({ kind, payload }, extent) => {
      if (kind === RECORD) found.set(payload.toString(), extent);
    });
    expect(found).toEqual(written);
    for (const [text, extent] of written) expect(log.read(extent).toString()).toBe(text);
    expect(log.bytes).toBe(log.end);
    expect(disk.paths().length).toBeGreaterThan(5);
  });

  it('begins each segment with a header', async () => {
    const { disk, append } = await open({ segmentBytes: 100 });
    for (let i = 0; i < 20; i++) append(`record ${i}`);
    const headers: Position[] = [];
    scanLog(disk, folder, ({ kind }, extent) => {
      if (kind === HEADER) headers.push(extent.position);
    });
    expect(disk.paths()).toEqual(headers.map((start) => segmentPath(folder, start)));
  });

  it('refuses to read what is no longer what was written', async () => {
    const { disk, log, append } = await open();
    const extent = append('as it was written');
    disk.damage(segmentPath(folder, position(0)), extent.position + extent.length - 1);
    expect(() => log.read(extent)).toThrow(/damaged/);
  });

  it('keeps one file open at most, where nothing is synced', async () => {
    const { disk, log, append } = await open({ segmentBytes: 100, survivesPowerCut: false });
    for (let i = 0; i < 50; i++) append(`record ${i}`);
    expect(disk.open).toBe(1);
    log.close();
    expect(disk.open).toBe(0);
  });

  it('writes nothing behind what it could not write whole', async () => {
    for (const survivesPowerCut of [true, false]) {
      const { disk, append } = await open({ survivesPowerCut });
      append('first');
      disk.fail('append', 'ENOSPC', { after: 10 });
      expect(() => append('torn')).toThrow('ENOSPC');
      disk.mend();
      expect(() => append('behind it')).toThrow('ENOSPC');
      expect(() => append('and again')).toThrow('ENOSPC');
      expect(recordsOf(disk)).toMatchObject({ texts: ['first'], scan: { damagedBytes: 0 } });
    }
  });

  it('can be closed when no new segment could be made', async () => {
    const { disk, log, append } = await open({ segmentBytes: 40 });
    append('fills the segment, and more');
    disk.fail('create', 'EMFILE');
    expect(() => append('more')).toThrow('EMFILE');
    log.close();
    expect(disk.open).toBe(0);
  });
});

describe('syncing', () => {
  it('makes durable what was appended before, and joins calls that come while another is under way', async () => {
    const { disk, log, append } = await open();
    append('first');
    disk.holdSyncs = true;
    const first = log.sync();
    await settle();
    append('second');
    const others = [log.sync(), log.sync(), log.sync()];
    disk.releaseSyncs();
    await Promise.all([first, ...others]);
    expect(disk.syncs).toBe(2);
    disk.cutPower(() => 0);
    expect(recordsOf(disk).texts).toEqual(['first', 'second']);
  });

  it('includes segments that ended while it waited for older ones', async () => {
    const { disk, log, append } = await open({ segmentBytes: 60 });
    append('the first segment, which is full now');
    append('the second, begun before the sync');
    disk.holdSyncs = true;
    const synced = log.sync();
    await settle();
    append('the third, begun while the first one is synced');
    disk.releaseSyncs();
    await synced;
    disk.cutPower(() => 0);
    expect(recordsOf(disk).texts).toEqual([
      'the first segment, which is full now',
      'the second, begun before the sync',
    ]);
  });

  it('closes the segments that are full', async () => {
    const { disk, log, append } = await open({ segmentBytes: 100 });
    for (let i = 0; i < 50; i++) append(`record ${i}`);
    await log.sync();
    expect(disk.open).toBe(1);
  });

  it('does not recover from a failure: nobody knows what is durable', async () => {
    const { disk, log, append } = await open();
    append('first');
    disk.fail('sync', 'EIO');
    await expect(log.sync()).rejects.toThrow('EIO');
    disk.mend();
    append('second');
    await expect(log.sync()).rejects.toThrow('EIO');
  });

  it('never says that a record is durable before it is, so that a power cut is no damage', async () => {
    const random = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 });
    const { disk, log, append } = await open({ segmentBytes: 200 });
    append('first');
    await log.sync();
    for (let i = 0; i < 20; i++) append(`never synced ${i}`);
    fc.assert(
      fc.property(random, (seed) => {
        const copy = disk.copy();
        let turn = 0;
        copy.cutPower(() => seed[turn++ % seed.length] ?? 0);
        const { texts, scan } = recordsOf(copy);
        expect(texts[0]).toBe('first');
        expect(scan.damagedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a log that was there', () => {
  it('goes on in a new segment behind the newest valid record', async () => {
    const before = await open();
    before.append('first');
    before.append('torn off');
    const path = segmentPath(folder, position(0));
    const disk = before.disk.copy();
    disk.truncate(path, disk.read(path).length - 3);
    const { log, append } = await open({ disk, scan: recordsOf(disk).scan });
    append('second');
    const { texts, scan } = recordsOf(disk);
    expect(texts).toEqual(['first', 'second']);
    expect(scan.damagedBytes).toBe(0);
    expect(scan.end).toBe(log.end);
  });

  it('is made durable, and its discarded segments are removed for good, before anything is written', async () => {
    const before = await open({ segmentBytes: 60 });
    before.append('the first segment, which is full now');
    const { disk } = before;
    disk.create(segmentPath(folder, position(999)));
    const { scan } = recordsOf(disk);
    expect(scan.discarded).toEqual([999]);
    await open({ disk, scan });
    disk.cutPower(() => 0.99);
    expect(recordsOf(disk)).toMatchObject({
      texts: ['the first segment, which is full now'],
      scan: { discarded: [] },
    });
  });
});

describe('removing', () => {
  it('removes segments that lie before the position, never the one that is written', async () => {
    const { disk, log, append } = await open({ segmentBytes: 100 });
    const extents = Array.from({ length: 20 }, (_, i) => append(`record ${i}`));
    const [, , , , , , , wanted] = extents;
    log.removeBefore(wanted?.position ?? position(0));
    expect(recordsOf(disk).texts).toContain('record 7');
    expect(recordsOf(disk).texts).not.toContain('record 0');
    expect(wanted && log.read(wanted).toString()).toBe('record 7');
    log.removeBefore(log.end);
    expect(disk.paths()).toHaveLength(1);
    append('goes on');
    expect(recordsOf(disk).texts.at(-1)).toBe('goes on');
  });

  it('leaves no gap, wherever the power fails', async () => {
    const { disk, log, append } = await open({ segmentBytes: 100 });
    for (let i = 0; i < 20; i++) append(`record ${i}`);
    await log.sync();
    log.removeBefore(log.end);
    disk.cutPower(() => 0.99);
    expect(recordsOf(disk).scan.damagedBytes).toBe(0);
  });
});
