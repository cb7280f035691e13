import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseRunRecord, type RunRecord } from '../../src/host/run-record.js';

const running: RunRecord = {
  phase: 'running',
  sinceMs: 10_000,
  pid: 4711,
  bootId: 'boot 1',
  supervisor: 'none',
};

/** JSON has no -0 and no undefined. */
const overJson = (value: object): object => JSON.parse(JSON.stringify(value));

describe('the record of a run', () => {
  it('is parsed only if it is valid', () => {
    const sound = JSON.stringify(running);
    expect(parseRunRecord(sound)).toEqual(running);
    for (const text of ['', 'null', '[]', '7', sound.slice(0, -1), '{"phase":"running"}'])
      expect(parseRunRecord(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseRunRecord(text)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(running)), fc.jsonValue(), (key, value) => {
        // Nothing is added or changed.
        const parsed = parseRunRecord(JSON.stringify({ ...running, [key]: value }));
        if (parsed) expect(overJson({ ...running, [key]: value })).toMatchObject(overJson(parsed));
      }),
    );
  });
});
