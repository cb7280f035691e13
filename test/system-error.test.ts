import { describe, expect, it } from '@jest/globals';
import { codeOf } from '../src/system-error.js';

describe('an error of the system', () => {
  it('is known by its code', () => {
    expect(codeOf(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    for (const error of [new Error('plain'), null, 'text', { code: 5 }])
      expect(codeOf(error)).toBeUndefined();
  });
});
