import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import { deadReasons } from '../../../src/inbox/inbox.js';
import {
  decodeDeadLetter,
  decodeHeader,
  decodeMarks,
  decodeRemovals,
  decodeUpdates,
  encodeDeadLetter,
  encodeHeader,
  encodeMarks,
  encodeRemovals,
  encodeUpdates,
} from '../../../src/inbox/store/record-codec.js';
import { FORMAT, noMarks } from '../../../src/inbox/store/records.js';
import { historyWith } from '../../support/history.js';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const history = fc.record({
  attempts: fc.nat(),
  deaths: fc.nat(),
  cuts: fc.nat(),
  putBacks: fc.nat(),
  retries: fc.nat(),
  notBeforeMs: number,
  begun: fc.boolean(),
});
/** Many of them follow one another. */
const numbers = fc
  .array(fc.oneof(fc.constant(1), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), { maxLength: 8 })
  .map((steps) => {
    let last = 0;
    return steps.map((step) => (last += step));
  });
const seqs = numbers.map((all) => all.map(seq));
const ids = numbers.map((all) => all.map(updateId));
const putBack = fc.array(fc.record({ seq: number.map(seq), notBeforeMs: number, isRetry: fc.boolean() }), {
  maxLength: 3,
});
const marks = fc.record({ begun: seqs, settled: seqs, cut: seqs, putBack });
const whole = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

describe('records come back as they were written', () => {
  it('updates, each with its own content', () => {
    const record = fc.record({
      atMs: number,
      confirmedOffset: fc.option(number.map(updateId), { nil: undefined }),
      seqs,
      ids,
      contentIndexes: numbers,
      histories: fc.array(fc.tuple(number.map(seq), history), { maxLength: 3 }),
      marks,
    });
    const contents = fc.array(fc.jsonValue(), { maxLength: 5 });
    fc.assert(
      fc.property(record, contents, fc.boolean(), (updates, values, asAnswer) => {
        const json = JSON.stringify(asAnswer ? { ok: true, result: values } : values);
        const payload = whole(encodeUpdates(updates, Buffer.from(json)));
        const { contents: read, ...decoded } = decodeUpdates(payload);
        expect(decoded).toEqual(updates);
        expect(read()).toEqual(JSON.parse(JSON.stringify(values)));
        expect(read()).not.toBe(read());
      }),
    );
  });

  it('marks, headers, removals', () => {
    const arrivals = fc.array(fc.record({ atMs: number, ids }), { maxLength: 3 });
    fc.assert(
      fc.property(marks, arrivals, text, number.map(seq), (written, recent, bot, nextSeq) => {
        expect(decodeMarks(whole(encodeMarks(written)))).toEqual(written);
        const header = { format: FORMAT, bot, nextSeq, recent };
        expect(decodeHeader(whole(encodeHeader(header)))).toEqual(header);
        expect(decodeRemovals(whole(encodeRemovals([nextSeq])))).toEqual([nextSeq]);
        expect(decodeRemovals(Buffer.from(`${nextSeq}`))).toEqual([nextSeq]);
      }),
    );
  });

  it('dead letters, with their content', () => {
    const record = fc.record({
      seq: number.map(seq),
      updateId: fc.integer().map(updateId),
      key: text.map(orderKey),
      kind: text,
      why: fc.constantFrom(...deadReasons),
      attempts: fc.nat(),
      atMs: number,
      error: fc.option(text, { nil: undefined }),
    });
    fc.assert(
      fc.property(record, bytes, (letter, content) => {
        const decoded = decodeDeadLetter(whole(encodeDeadLetter(letter, content)));
        expect(decoded.letter).toEqual(letter);
        expect(decoded.content).toEqual(content);
      }),
    );
  });
});

describe('records of version 2', () => {
  it('tell of a begun update what they know', () => {
    const index = JSON.stringify({
      atMs: 1,
      seqs: [7, 1],
      ids: [9, 1],
      places: [0, 1],
      rows: [[7, 3, 2, 1]],
      marks: [[], [], []],
    });
    const length = Buffer.alloc(4);
    length.writeUInt32LE(index.length);
    const { histories, marks: read } = decodeUpdates(Buffer.concat([length, Buffer.from(`${index}[1]`)]));
    expect(histories).toEqual([[7, historyWith({ attempts: 3, deaths: 2, begun: true })]]);
    expect(read).toEqual(noMarks());
  });

  it('have a header that can be read', () => {
    const header = { format: 2, bot: '1-a', nextSeq: 5, recent: [] };
    expect(decodeHeader(Buffer.from(JSON.stringify(header)))).toEqual(header);
  });
});

describe('records of another program', () => {
  it('tell their format, whatever else they are', () => {
    const payload = Buffer.from(JSON.stringify({ format: 7, bot: '1-a', nextSeq: 'x', recent: null }));
    expect(decodeHeader(payload)).toEqual({ format: 7, bot: '1-a', nextSeq: 0, recent: [] });
  });

  it.each([
    ['header', () => decodeHeader(Buffer.from(`{"format":${FORMAT}}`))],
    ['header', () => decodeHeader(Buffer.from('null'))],
    ['marks', () => decodeMarks(Buffer.from('[[1],["2"],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[],[],[],[1,2]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,1]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1],[],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,1e9],[],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,0.5],[],[]]'))],
    ['removal', () => decodeRemovals(Buffer.from('"1"'))],
    ['dead letter', () => decodeDeadLetter(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
    ['updates', () => decodeUpdates(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
  ])('are refused in words: %s', (_kind, decode) => {
    expect(decode).toThrow('a record has another form than this version of lastcall writes');
  });
});
