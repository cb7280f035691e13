import { describe, expect, it } from '@jest/globals';
import { RetryLater } from '../../src/telegraf/retry-later.js';

describe('RetryLater', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0s', 0],
    [250, 250],
    [0.5, 0.5],
  ])('takes %p for %p ms', (delay, delayMs) => {
    expect(new RetryLater(delay).delayMs).toBe(delayMs);
  });

  it.each(['', '30', 's', '30 s', '-1s', '1.5s', '1d', '30S', -1, NaN, Infinity, undefined, null, {}, 30n])(
    'refuses %p',
    (delay) => {
      expect(() => new RetryLater(delay as never)).toThrow(TypeError);
    },
  );

  it('is an error that says what is asked for, and why', () => {
    const cause = new Error('the database is down');
    const error = new RetryLater('30s', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'RetryLater',
      message: 'the handler asks to be called again in 30 s',
      cause,
    });
  });
});
