import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeDeadLetter,
  decodeHead,
  decodeMarks,
  decodeRemoval,
  decodeUpdates,
  encodeDeadLetter,
  encodeHead,
  encodeMarks,
  encodeRemoval,
  encodeUpdates,
  FORMAT,
} from '../../../src/inbox/store/records.js';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const history = fc.record({ runs: fc.nat(), deaths: fc.nat(), begun: fc.boolean() });
/** Many of them follow one another. */
const numbers = fc
  .array(fc.oneof(fc.constant(1), fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), { maxLength: 8 })
  .map((steps) => {
    let last = 0;
    return steps.map((step) => (last += step));
  });
const marks = fc.record({ begun: numbers, settled: numbers, cut: numbers });
const whole = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

describe('records come back as they were written', () => {
  it('updates, each with its own content', () => {
    const record = fc.record({
      atMs: number,
      passed: fc.option(number, { nil: undefined }),
      seqs: numbers,
      ids: numbers,
      places: numbers,
      histories: fc.array(fc.tuple(number, history), { maxLength: 3 }),
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

  it('marks, heads, removals', () => {
    const arrivals = fc.array(fc.record({ atMs: number, ids: numbers }), { maxLength: 3 });
    fc.assert(
      fc.property(marks, arrivals, text, number, (written, recent, bot, nextSeq) => {
        expect(decodeMarks(whole(encodeMarks(written)))).toEqual(written);
        const head = { format: FORMAT, bot, nextSeq, recent };
        expect(decodeHead(whole(encodeHead(head)))).toEqual(head);
        expect(decodeRemoval(whole(encodeRemoval(nextSeq)))).toBe(nextSeq);
      }),
    );
  });

  it('dead letters, with their text', () => {
    const record = fc.record({
      seq: number,
      updateId: fc.integer(),
      key: text,
      kind: text,
      why: fc.constantFrom('failed', 'timed-out', 'died'),
      attempts: fc.nat(),
      atMs: number,
      error: fc.option(text, { nil: undefined }),
    });
    fc.assert(
      fc.property(record, bytes, (letter, content) => {
        const decoded = decodeDeadLetter(whole(encodeDeadLetter(letter, content)));
        expect(decoded.letter).toEqual(letter);
        expect(decoded.text).toEqual(content);
      }),
    );
  });
});

describe('records of another program', () => {
  it('tell their format, whatever else they are', () => {
    const payload = Buffer.from(JSON.stringify({ format: 7, bot: '1-a', nextSeq: 'x', recent: null }));
    expect(decodeHead(payload)).toEqual({ format: 7, bot: '1-a', nextSeq: 0, recent: [] });
  });

  it.each([
    ['head', () => decodeHead(Buffer.from(`{"format":${FORMAT}}`))],
    ['head', () => decodeHead(Buffer.from('null'))],
    ['marks', () => decodeMarks(Buffer.from('[[1],["2"],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,1]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1],[],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,1e9],[],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1,0.5],[],[]]'))],
    ['removal', () => decodeRemoval(Buffer.from('"1"'))],
    ['dead letter', () => decodeDeadLetter(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
    ['updates', () => decodeUpdates(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
  ])('are refused in words: %s', (_kind, decode) => {
    expect(decode).toThrow('a record has another form than this version of lastcall writes');
  });
});
