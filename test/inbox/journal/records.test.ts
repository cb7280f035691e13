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
  type Indexed,
} from '../../../src/inbox/journal/records.js';

const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const history = fc.record({ runs: fc.nat(), deaths: fc.nat(), begun: fc.boolean() });
const indexed: fc.Arbitrary<Indexed> = fc.record(
  { seq: number, updateId: fc.integer(), key: text, kind: text, history },
  { requiredKeys: ['seq', 'updateId', 'key', 'kind'] },
);
const whole = (parts: readonly Uint8Array[]): Buffer => Buffer.concat(parts);

describe('records come back as they were written', () => {
  it('updates, each with its own text', () => {
    const record = fc.record({
      atMs: number,
      passed: fc.option(number, { nil: undefined }),
      updates: fc.array(indexed, { maxLength: 5 }),
      asAnswer: fc.boolean(),
    });
    const contents = fc.array(fc.jsonValue(), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(record, contents, ({ atMs, passed, updates: indexes, asAnswer }, values) => {
        // In an order of their own, and not all of them.
        const updates = indexes.map((update, turn) => ({ ...update, place: 4 - turn }));
        const json = JSON.stringify(asAnswer ? { ok: true, result: values } : values);
        const payload = whole(encodeUpdates({ atMs, passed, updates }, Buffer.from(json)));
        const { contents: read, ...decoded } = decodeUpdates(payload);
        expect(decoded).toEqual({ atMs, passed, updates });
        expect(read()).toEqual(JSON.parse(JSON.stringify(values)));
        expect(read()).not.toBe(read());
      }),
    );
  });

  it('marks, heads, removals', () => {
    const seqs = fc.array(number, { maxLength: 5 });
    fc.assert(
      fc.property(
        seqs,
        seqs,
        seqs,
        fc.array(fc.tuple(number, number)),
        text,
        (begun, settled, cut, recent, bot) => {
          expect(decodeMarks(whole(encodeMarks({ begun, settled, cut })))).toEqual({ begun, settled, cut });
          const head = { format: FORMAT, bot, nextSeq: begun.length, recent };
          expect(decodeHead(whole(encodeHead(head)))).toEqual(head);
          expect(decodeRemoval(whole(encodeRemoval(recent.length)))).toBe(recent.length);
        },
      ),
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
    ['head', () => decodeHead(Buffer.from('{"format":1}'))],
    ['head', () => decodeHead(Buffer.from('null'))],
    ['marks', () => decodeMarks(Buffer.from('[[1],["2"],[]]'))],
    ['marks', () => decodeMarks(Buffer.from('[[1]]'))],
    ['removal', () => decodeRemoval(Buffer.from('"1"'))],
    ['dead letter', () => decodeDeadLetter(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
    ['updates', () => decodeUpdates(whole([Buffer.from([2, 0, 0, 0]), Buffer.from('{}')]))],
  ])('are refused in words: %s', (_kind, decode) => {
    expect(decode).toThrow('a record has another form than this version of lastcall writes');
  });
});
