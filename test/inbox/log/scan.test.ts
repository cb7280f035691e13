import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame } from '../../../src/inbox/log/frame.js';
import { type Position, position } from '../../../src/inbox/log/position.js';
import { readNow } from '../../../src/inbox/log/reading.js';
import { type Scan, scanning, segmentPath } from '../../../src/inbox/log/scan.js';
import { MemoryDisk } from './memory-disk.js';

const scanLog = (...[disk, ...rest]: Parameters<typeof scanning>): Scan =>
  readNow(disk, scanning(disk, ...rest));

const folder = '/log';

interface Written {
  readonly text: string;
  readonly position: Position;
  readonly length: number;
  /** Where its segment begins. */
  readonly segment: Position;
}

/** A log with these records in each segment; after a record that is synced, all of the log is durable. */
function write(segments: readonly (readonly { readonly bytes: number; readonly synced: boolean }[])[]) {
  const disk = new MemoryDisk();
  const records: Written[] = [];
  let end = position(0);
  let durableEnd = position(0);
  for (const rows of segments) {
    const segment = end;
    const file = disk.create(segmentPath(folder, segment));
    for (const { bytes, synced } of rows) {
      const text = `${records.length}:${'x'.repeat(bytes)}`;
      const frame = encodeFrame(2, durableEnd, [Buffer.from(text)]);
      file.append(frame);
      records.push({ text, position: end, length: frame.length, segment });
      end = position(end + frame.length);
      if (synced) durableEnd = end;
    }
  }
  return { disk, records, end, proven: durableEndIn(disk, records.at(-1)) };
}

/** The durable end that stands in a record. */
function durableEndIn(disk: MemoryDisk, record: Written | undefined): number {
  if (!record) return 0;
  return disk.read(segmentPath(folder, record.segment)).readDoubleLE(record.position - record.segment + 12);
}

function read(disk: MemoryDisk): { readonly texts: string[]; readonly scan: Scan } {
  const texts: string[] = [];
  const scan = scanLog(disk, folder, ({ payload }) => texts.push(payload.toString()));
  return { texts, scan };
}

const segments = fc.array(
  fc.array(fc.record({ bytes: fc.nat({ max: 30 }), synced: fc.boolean() }), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 4 },
);

describe('a log that is whole', () => {
  it('is read from the oldest record to the newest', () => {
    fc.assert(
      fc.property(segments, (shape) => {
        const { disk, records, end } = write(shape);
        const { texts, scan } = read(disk);
        expect(texts).toEqual(records.map(({ text }) => text));
        expect(scan).toEqual({
          end,
          segments: [...new Set(records.map(({ segment }) => segment))],
          discarded: [],
          damagedBytes: 0,
        });
      }),
    );
  });

  it('may be empty, or have other files beside it', () => {
    const disk = new MemoryDisk();
    disk.create('/log/notes.txt');
    expect(read(disk)).toEqual({ texts: [], scan: { end: 0, segments: [], discarded: [], damagedBytes: 0 } });
  });

  it('may have lost its oldest segments', () => {
    fc.assert(
      fc.property(segments, fc.nat(), (shape, lost) => {
        const { disk, records } = write(shape);
        const starts = [...new Set(records.map(({ segment }) => segment))];
        const gone = starts.slice(0, lost % starts.length);
        for (const start of gone) disk.remove(segmentPath(folder, start));
        const { texts, scan } = read(disk);
        expect(texts).toEqual(
          records.filter(({ segment }) => !gone.includes(segment)).map(({ text }) => text),
        );
        expect(scan.damagedBytes).toBe(0);
      }),
    );
  });
});

describe('an end that was torn off', () => {
  it('is no damage, wherever the tear is behind what was durable', () => {
    fc.assert(
      fc.property(segments, fc.nat(), fc.boolean(), (shape, cut, hole) => {
        const { disk, records, end, proven } = write(shape);
        const last = records.at(-1)?.segment ?? position(0);
        // Of the last segment only: those before it were synced before.
        const from = Math.max(proven, last);
        const tear = from + (cut % (end - from));
        const path = segmentPath(folder, last);
        if (hole) disk.overwrite(path, tear - last, Buffer.alloc(end - tear));
        else disk.truncate(path, tear - last);
        const { texts, scan } = read(disk);
        expect(scan.damagedBytes).toBe(0);
        expect(texts).toEqual(
          records.filter((record) => record.position + record.length <= tear).map(({ text }) => text),
        );
      }),
    );
  });

  it('may take with it the segments behind it', () => {
    const { disk } = write([[{ bytes: 5, synced: false }], [{ bytes: 5, synced: false }]]);
    disk.truncate(segmentPath(folder, position(0)), 10);
    const { texts, scan } = read(disk);
    expect(texts).toEqual([]);
    expect(scan).toMatchObject({ end: 0, segments: [], damagedBytes: 0 });
    expect(scan.discarded).toHaveLength(2);
  });

  it('does not count once the log has gone on before it', () => {
    const disk = new MemoryDisk();
    const frame = (text: string, durableEnd = 0) => encodeFrame(2, position(durableEnd), [Buffer.from(text)]);
    const first = frame('first');
    const old = disk.create(segmentPath(folder, position(0)));
    for (const bytes of [first, frame('torn off').subarray(0, 9), frame('not to be read')]) old.append(bytes);
    disk.create(segmentPath(folder, position(first.length))).append(frame('second', first.length));
    const { texts, scan } = read(disk);
    expect(texts).toEqual(['first', 'second']);
    expect(scan.damagedBytes).toBe(0);
    disk.damage(segmentPath(folder, position(0)), 3);
    expect(read(disk)).toMatchObject({ texts: ['second'], scan: { damagedBytes: first.length } });
  });
});

describe('damage', () => {
  it('of what was durable is always noticed, and everything else is still read', () => {
    fc.assert(
      fc.property(segments, fc.nat(), (shape, flipped) => {
        const { disk, records, proven } = write(shape);
        fc.pre(proven > 0);
        const at = flipped % proven;
        const hit = records.findLast((record) => record.position <= at);
        if (!hit) throw new Error('no record there');
        disk.damage(segmentPath(folder, hit.segment), at - hit.segment);
        const { texts, scan } = read(disk);
        expect(texts).toEqual(records.filter((record) => record !== hit).map(({ text }) => text));
        expect(scan.damagedBytes).toBe(hit.length);
      }),
      { numRuns: 500 },
    );
  });

  it('may be a segment that is missing, or has lost its end', () => {
    const record = { bytes: 5, synced: true };
    for (const spoil of [
      (disk: MemoryDisk, path: string) => disk.remove(path),
      (disk: MemoryDisk, path: string) => disk.truncate(path, 0),
    ]) {
      const { disk, records } = write([[record, record], [record, record], [record]]);
      const [middle] = records.slice(2);
      spoil(disk, segmentPath(folder, middle?.segment ?? position(0)));
      const { texts, scan } = read(disk);
      expect(texts).toHaveLength(3);
      expect(scan.damagedBytes).toBe(2 * (middle?.length ?? 0));
    }
  });
});

it('never reads what was not written, whatever the bytes', () => {
  const spoiling = fc.record({
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    cut: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(segments, fc.array(spoiling, { maxLength: 4 }), (shape, spoilings) => {
      const { disk, records } = write(shape);
      for (const { at, bytes, cut } of spoilings) {
        const path = disk.paths()[at % disk.paths().length] ?? '';
        const size = disk.read(path).length;
        disk.overwrite(path, at % (size + 1), bytes);
        if (cut !== null) disk.truncate(path, cut % (size + 1));
      }
      const { texts } = read(disk);
      let next = 0;
      for (const text of texts) {
        next = records.findIndex((record, index) => index >= next && record.text === text) + 1;
        expect(next).toBeGreaterThan(0);
      }
    }),
    { numRuns: 500 },
  );
});
