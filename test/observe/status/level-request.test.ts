import { describe, expect, it } from '@jest/globals';
import { parseLevelRequest } from '../../../src/observe/status/level-request.js';

describe('parseLevelRequest', () => {
  it('takes a level and a time', () => {
    expect(parseLevelRequest({ level: 'debug', forMs: 300_000, more: 1 })).toEqual({
      level: 'debug',
      forMs: 300_000,
    });
  });

  it.each([
    undefined,
    {},
    { level: 'loud', forMs: 1 },
    { level: 'debug' },
    { level: 'debug', forMs: 0 },
    { level: 'debug', forMs: 1e12 },
  ])('does not take %j', (value) => expect(parseLevelRequest(value)).toBeUndefined());
});
