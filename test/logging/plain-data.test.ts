import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { plainData } from '../../src/logging/plain-data.js';
import { anyValue } from './any-value.js';

describe('plain data', () => {
  it('is what JSON makes of a value that it can hold', () => {
    const values = fc.anything({ withNullPrototype: true, withDate: true });
    fc.assert(
      fc.property(values, (value) => {
        const json = JSON.stringify({ value });
        // Functions and symbols are shown, where JSON leaves them out; fc.anything makes none.
        expect(JSON.stringify({ value: plainData(value) })).toBe(json);
      }),
    );
  });

  it('has a text for what JSON cannot hold', () => {
    const circular: Record<string, unknown> = { amount: 7n, kind: Symbol('s'), call: () => 1 };
    circular['self'] = circular;
    const unreadable = Object.defineProperty({ good: 1 }, 'bad', {
      enumerable: true,
      get: () => {
        throw new Error('looked at');
      },
    });
    expect(plainData({ circular, unreadable, none: undefined, twice: [[1], [1]] })).toStrictEqual({
      circular: { amount: '7', kind: 'Symbol(s)', call: '[function]', self: '[circular]' },
      unreadable: { good: 1, bad: '[unreadable]' },
      twice: [[1], [1]],
    });
    expect(plainData({ when: new Date(Number.NaN) })).toEqual({ when: null });
  });

  it('is of limited depth and size', () => {
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 20; depth++) deep = { deep };
    expect(JSON.stringify(plainData(deep))).toContain('[too deep]');
    const huge = Array.from({ length: 100_000 }, () => ({ a: 'b' }));
    const text = JSON.stringify(plainData(huge));
    expect(text).toContain('[cut]');
    expect(text.length).toBeLessThan(100_000);
  });

  it('changes every text as it is told, names included', () => {
    const mask = (text: string) => text.replace('secret', '***');
    expect(plainData({ 'a secret': ['secret', { b: 'no secret' }] }, mask)).toEqual({
      'a ***': ['***', { b: 'no ***' }],
    });
  });

  it('comes of any value, and never throws', () => {
    fc.assert(
      fc.property(anyValue, (make) => {
        const value = make();
        expect(typeof JSON.stringify({ value: plainData(value) })).toBe('string');
      }),
    );
  });
});
