import { describe, expect, it } from '@jest/globals';
import { seq, updateId } from '../../../src/inbox/ids.js';
import { position } from '../../../src/inbox/log/position.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import { encodeHeader, encodeMarks, encodeUpdates } from '../../../src/inbox/store/record-codec.js';
import { FORMAT, noMarks, RecordKind, type UpdatesRecord } from '../../../src/inbox/store/records.js';
import { historyWith } from '../../support/history.js';
import { seqs, updateIds } from '../../support/ids.js';

const at = (start: number) => ({ position: position(start), length: 100 });

function updatesRecord(numbers: readonly number[], rest: Partial<UpdatesRecord> = {}) {
  const ids = updateIds(...numbers.map((number) => 1_000 + number));
  const contentIndexes = numbers.map((_, index) => index);
  const contents = Buffer.from(JSON.stringify(numbers.map(() => ({}))));
  const record = {
    atMs: 1,
    confirmedOffset: undefined,
    seqs: seqs(...numbers),
    ids,
    contentIndexes,
    histories: [],
    marks: noMarks(),
    ...rest,
  };
  return { payload: Buffer.concat(encodeUpdates(record, contents)) };
}
const marksRecord = (begun: number[], settled: number[] = [], cut: number[] = []) => ({
  kind: RecordKind.marks,
  payload: Buffer.concat(
    encodeMarks({ begun: seqs(...begun), settled: seqs(...settled), cut: seqs(...cut), putBack: [] }),
  ),
});

describe('what is not settled', () => {
  it('is known by batch, in order of arrival', () => {
    const ledger = new Ledger();
    const first = ledger.add(at(0), seqs(1, 2, 3));
    const second = ledger.add(at(100), seqs(4));
    expect(ledger.size).toBe(4);
    expect(ledger.bytes).toBe(3 * 34 + 100);
    expect(ledger.nextSeq).toBe(5);
    expect(ledger.batchOf(seq(2))).toBe(first);
    expect(ledger.batchOf(seq(4))).toBe(second);
    expect(ledger.batchOf(seq(5))).toBeUndefined();

    ledger.settle(seq(2));
    ledger.settle(seq(2));
    ledger.settle(seq(99));
    expect(ledger.batchOf(seq(2))).toBeUndefined();
    expect(first.seqs).toEqual([1, 3]);
    ledger.settle(seq(1));
    ledger.settle(seq(3));
    expect(ledger.batches()).toEqual([second]);
    expect(ledger.batchOf(seq(3))).toBeUndefined();
    ledger.settle(seq(3));
    expect(ledger.size).toBe(1);
    expect(ledger.bytes).toBe(100);
  });

  it('is found from any number on', () => {
    const ledger = new Ledger();
    const first = ledger.add(at(0), seqs(1, 2, 3));
    const second = ledger.add(at(100), seqs(4, 5));
    ledger.settle(seq(3));
    expect(seqs(0, 1, 2).map((first) => ledger.batchFrom(first))).toEqual([first, first, first]);
    expect(seqs(3, 4, 5).map((first) => ledger.batchFrom(first))).toEqual([second, second, second]);
    expect(ledger.batchFrom(seq(6))).toBeUndefined();
    expect(new Ledger().batchFrom(seq(0))).toBeUndefined();
  });
});

describe('histories', () => {
  it('count the runs that began an update, and those that died', () => {
    const ledger = new Ledger();
    ledger.add(at(0), seqs(1, 2));
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 0, deaths: 0, begun: false }));
    ledger.begin(seq(1));
    ledger.begin(seq(2));
    ledger.cut(seq(2));
    ledger.endRun();
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    expect(ledger.historyOf(seq(2))).toEqual(historyWith({ attempts: 1, cuts: 1 }));
    ledger.endRun();
    expect(ledger.historyOf(seq(1)).deaths).toBe(1);
  });

  it('count nothing where what is cut was not begun', () => {
    const ledger = new Ledger();
    ledger.add(at(0), seqs(1));
    ledger.cut(seq(1));
    ledger.cut(seq(2));
    expect(ledger.histories()).toEqual([]);
  });

  it('count a death where the next run began it without a word on the last', () => {
    const ledger = new Ledger();
    ledger.add(at(0), seqs(1));
    ledger.begin(seq(1));
    ledger.begin(seq(1));
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 2, deaths: 1, begun: true }));
  });

  it('end with their update', () => {
    const ledger = new Ledger();
    ledger.add(at(0), seqs(1));
    ledger.begin(seq(1));
    ledger.settle(seq(1));
    expect(ledger.histories().length).toBe(0);
  });
});

describe('replaying', () => {
  it('follows updates and marks, and the ids that may come again', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    ledger.replay(marksRecord([1, 2], [2]), at(100));
    ledger.replay(
      { kind: RecordKind.updates, ...updatesRecord([3], { confirmedOffset: updateId(1_002) }) },
      at(200),
    );
    expect(ledger.batches().map((batch) => batch.seqs)).toEqual([[1], [3]]);
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 0, begun: true }));
    expect(updateIds(1_001, 1_002, 1_003).map((id) => ledger.recent.has(id))).toEqual([false, true, true]);
  });

  it('finds what was rewritten where it is now, with its history', () => {
    const history = historyWith({ attempts: 2, deaths: 1, begun: false });
    const rewritten = {
      kind: RecordKind.rewritten,
      ...updatesRecord([1, 3], { histories: [[seq(1), history]] }),
    };
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
      expect(ledger.batches().map((batch) => [batch.extent.position, batch.seqs])).toEqual([
        [300, [1, 3]],
        [200, [4]],
      ]);
      expect(ledger.historyOf(seq(1))).toEqual(history);
      expect(ledger.histories().length).toBe(1);
      expect(ledger.recent.has(updateId(1_004))).toBe(true);
    }
    // What is rewritten was not sent again.
    expect(rest.recent.has(updateId(1_001))).toBe(false);
  });

  it('knows from the header of a segment which ids may come again, and each only once', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    const recent = [{ atMs: 1, ids: updateIds(1_002) }];
    const header = { format: FORMAT, bot: '1-a', nextSeq: seq(3), recent };
    for (const position of [100, 200, 300])
      ledger.replay({ kind: RecordKind.header, payload: Buffer.concat(encodeHeader(header)) }, at(position));
    expect(ledger.recent.arrivals).toEqual(recent);
  });

  it('counts what is begun once, though the rewritten record says so again', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2]) }, at(0));
    ledger.replay(marksRecord([1, 2]), at(100));
    const history = historyWith({ attempts: 3, deaths: 1, begun: true });
    ledger.replay(
      { kind: RecordKind.rewritten, ...updatesRecord([1, 2], { histories: [[seq(1), history]] }) },
      at(200),
    );
    expect(ledger.historyOf(seq(1))).toEqual(history);
    expect(ledger.historyOf(seq(2))).toEqual(historyWith({ attempts: 1, deaths: 0, begun: true }));
    ledger.endRun();
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 3, deaths: 2, begun: false }));
  });

  it('believes what was rewritten, where marks are missing', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1, 2, 3]) }, at(0));
    ledger.replay({ kind: RecordKind.rewritten, ...updatesRecord([2]) }, at(100));
    ledger.replay({ kind: RecordKind.rewritten, ...updatesRecord([]) }, at(200));
    expect(ledger.batches().map((batch) => [batch.extent.position, batch.seqs])).toEqual([[100, [2]]]);
    expect(ledger.size).toBe(1);
  });

  it('counts a death for what an earlier run had begun, once another run has gone on', () => {
    const ledger = new Ledger();
    const header = (runId: string) => {
      const payload = Buffer.concat(
        encodeHeader({ format: FORMAT, bot: '1-a', runId, nextSeq: seq(1), recent: [] }),
      );
      return { kind: RecordKind.header, payload };
    };
    ledger.replay(header('first'), at(0));
    ledger.replay({ kind: RecordKind.updates, ...updatesRecord([1]) }, at(100));
    ledger.replay(marksRecord([1]), at(200));
    ledger.replay(header('first'), at(300));
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 0, begun: true }));
    ledger.replay(header('second'), at(400));
    expect(ledger.historyOf(seq(1))).toEqual(historyWith({ attempts: 1, deaths: 1, begun: false }));
    expect(ledger.runId).toBe('second');
  });

  it('passes over what it does not know', () => {
    const ledger = new Ledger();
    ledger.replay({ kind: 99, payload: Buffer.from('anything') }, at(0));
    ledger.replay(marksRecord([5], [6], [7]), at(0));
    expect([ledger.size, ledger.histories().length]).toEqual([0, 0]);
  });
});
