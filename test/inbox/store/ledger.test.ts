import { describe, expect, it } from '@jest/globals';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import {
  encodeHead,
  encodeMarks,
  encodeUpdates,
  FORMAT,
  RecordKind,
  type UpdatesRecord,
} from '../../../src/inbox/store/records.js';

const at = (position: number) => ({ position, length: 100 });
const noMarks = { begun: [], settled: [], cut: [] };

function updatesRecord(seqs: readonly number[], rest: Partial<UpdatesRecord> = {}) {
  const ids = seqs.map((seq) => 1_000 + seq);
  const places = seqs.map((_, place) => place);
  const contents = Buffer.from(JSON.stringify(seqs.map(() => ({}))));
  const record = { atMs: 1, passed: undefined, seqs, ids, places, histories: [], marks: noMarks, ...rest };
  return { payload: Buffer.concat(encodeUpdates(record, contents)) };
}
const marksRecord = (begun: number[], settled: number[] = [], cut: number[] = []) => ({
  kind: RecordKind.marks,
  payload: Buffer.concat(encodeMarks({ begun, settled, cut })),
});

describe('what is not settled', () => {
  it('is known by batch, in order of arrival', () => {
    const ledger = new Ledger();
    const first = ledger.add(at(0), [1, 2, 3]);
    const second = ledger.add(at(100), [4]);
    expect(ledger.size).toBe(4);
    expect(ledger.bytes).toBe(3 * 34 + 100);
    expect(ledger.nextSeq).toBe(5);
    expect(ledger.batchOf(2)).toBe(first);
    expect(ledger.batchOf(4)).toBe(second);
    expect(ledger.batchOf(5)).toBeUndefined();

    ledger.settle(2);
    ledger.settle(2);
    ledger.settle(99);
    expect(ledger.batchOf(2)).toBeUndefined();
    expect(first.seqs).toEqual([1, 3]);
    ledger.settle(1);
    ledger.settle(3);
    expect(ledger.batches()).toEqual([second]);
    expect(ledger.batchOf(3)).toBeUndefined();
    ledger.settle(3);
    expect(ledger.size).toBe(1);
    expect(ledger.bytes).toBe(100);
  });

  it('is found from any number on', () => {
    const ledger = new Ledger();
    const first = ledger.add(at(0), [1, 2, 3]);
    const second = ledger.add(at(100), [4, 5]);
    ledger.settle(3);
    expect([0, 1, 2].map((seq) => ledger.batchFrom(seq))).toEqual([first, first, first]);
    expect([3, 4, 5].map((seq) => ledger.batchFrom(seq))).toEqual([second, second, second]);
    expect(ledger.batchFrom(6)).toBeUndefined();
    expect(new Ledger().batchFrom(0)).toBeUndefined();
  });
});

describe('histories', () => {
  it('count the runs that began an update, and those that died', () => {
    const ledger = new Ledger();
    ledger.add(at(0), [1, 2]);
    expect(ledger.historyOf(1)).toEqual({ runs: 0, deaths: 0, begun: false });
    ledger.begin(1);
    ledger.begin(2);
    ledger.cut(2);
    ledger.endRun();
    expect(ledger.historyOf(1)).toEqual({ runs: 1, deaths: 1, begun: false });
    expect(ledger.historyOf(2)).toEqual({ runs: 1, deaths: 0, begun: false });
    ledger.endRun();
    expect(ledger.historyOf(1).deaths).toBe(1);
  });

  it('count nothing where what is cut was not begun', () => {
    const ledger = new Ledger();
    ledger.add(at(0), [1]);
    ledger.cut(1);
    ledger.cut(2);
    expect(ledger.histories()).toEqual([]);
  });

  it('count a death where the next run began it without a word on the last', () => {
    const ledger = new Ledger();
    ledger.add(at(0), [1]);
    ledger.begin(1);
    ledger.begin(1);
    expect(ledger.historyOf(1)).toEqual({ runs: 2, deaths: 1, begun: true });
  });

  it('end with their update', () => {
    const ledger = new Ledger();
    ledger.add(at(0), [1]);
    ledger.begin(1);
    ledger.settle(1);
    expect(ledger.histories().length).toBe(0);
  });
});

describe('replaying', () => {
  it('follows updates and marks, and the ids that may come again', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    ledger.replay(marksRecord([1, 2], [2]), at(100));
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([3], { passed: 1_002 }) }, at(200));
    expect(ledger.batches().map(({ seqs }) => seqs)).toEqual([[1], [3]]);
    expect(ledger.historyOf(1)).toEqual({ runs: 1, deaths: 0, begun: true });
    expect([1_001, 1_002, 1_003].map((id) => ledger.recent.has(id))).toEqual([false, true, true]);
  });

  it('finds what was written anew where it is now, with its history', () => {
    const history = { runs: 2, deaths: 1, begun: false };
    const rewritten = { kind: RecordKind.rewritten, ...updatesRecord([1, 3], { histories: [[1, history]] }) };
    const whole = new Ledger();
    whole.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2, 3]) }, at(0));
    whole.replay(marksRecord([], [2]), at(100));
    whole.replay({ kind: RecordKind.updates, ...updatesRecord([4]) }, at(200));
    whole.replay(rewritten, at(300));
    // The same, once the old segment is gone.
    const rest = new Ledger();
    rest.replay(marksRecord([1], [2]), at(100));
    rest.replay({ kind: RecordKind.updates, ...updatesRecord([4]) }, at(200));
    rest.replay(rewritten, at(300));
    for (const ledger of [whole, rest]) {
      expect(ledger.batches().map(({ place, seqs }) => [place.position, seqs])).toEqual([
        [300, [1, 3]],
        [200, [4]],
      ]);
      expect(ledger.historyOf(1)).toEqual(history);
      expect(ledger.histories().length).toBe(1);
      expect(ledger.recent.has(1_004)).toBe(true);
    }
    // What is written anew was not sent anew.
    expect(rest.recent.has(1_001)).toBe(false);
  });

  it('knows from the head of a segment which ids may come again, and each only once', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    const recent = [{ atMs: 1, ids: [1_002] }];
    const head = { format: FORMAT, bot: '1-a', nextSeq: 3, recent };
    for (const position of [100, 200, 300])
      ledger.replay({ kind: RecordKind.head, payload: Buffer.concat(encodeHead(head)) }, at(position));
    expect(ledger.recent.arrivals).toEqual(recent);
  });

  it('counts what is begun once, though the record that is written anew says so again', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    ledger.replay(marksRecord([1, 2]), at(100));
    const history = { runs: 3, deaths: 1, begun: true };
    ledger.replay(
      { kind: RecordKind.rewritten, ...updatesRecord([1, 2], { histories: [[1, history]] }) },
      at(200),
    );
    expect(ledger.historyOf(1)).toEqual(history);
    expect(ledger.historyOf(2)).toEqual({ runs: 1, deaths: 0, begun: true });
    ledger.endRun();
    expect(ledger.historyOf(1)).toEqual({ runs: 3, deaths: 2, begun: false });
  });

  it('believes what was written anew, where marks are missing', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2, 3]) }, at(0));
    ledger.replay({ kind: RecordKind.rewritten, ...updatesRecord([2]) }, at(100));
    ledger.replay({ kind: RecordKind.rewritten, ...updatesRecord([]) }, at(200));
    expect(ledger.batches().map(({ place, seqs }) => [place.position, seqs])).toEqual([[100, [2]]]);
    expect(ledger.size).toBe(1);
  });

  it('passes over what it does not know', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: 99, payload: Buffer.from('anything') }, at(0));
    ledger.replay(marksRecord([5], [6], [7]), at(0));
    expect([ledger.size, ledger.histories().length]).toEqual([0, 0]);
  });
});
