import { describe, expect, it } from '@jest/globals';
import { codeOf, isNoSpace } from '../src/system-error.js';

describe('an error of the system', () => {
  it('is known by its code', () => {
    expect(codeOf(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    for (const error of [new Error('plain'), null, 'text', { code: 5 }])
      expect(codeOf(error)).toBeUndefined();
  });

  it('tells that there is no room, on the disk or for this user', () => {
    for (const code of ['ENOSPC', 'EDQUOT'])
      expect(isNoSpace(Object.assign(new Error('full'), { code }))).toBe(true);
    expect(isNoSpace(Object.assign(new Error('broken'), { code: 'EIO' }))).toBe(false);
  });
});
