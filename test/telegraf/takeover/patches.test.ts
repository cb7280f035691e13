import { describe, expect, it } from '@jest/globals';
import { Patches } from '../../../src/telegraf/takeover/patches.js';

describe('patches', () => {
  it('put back what was there: own properties, inherited ones, and how they were declared', () => {
    const parent = { inherited: 'parent' };
    const target: Record<string, unknown> = Object.create(parent, {
      own: { value: 'own', enumerable: false, writable: false, configurable: true },
    });
    const before = Object.getOwnPropertyDescriptors(target);
    const patches = new Patches();
    patches.replace(target, 'own', 'patched');
    patches.replace(target, 'own', 'patched twice');
    patches.replace(target, 'inherited', 'patched');
    expect([target['own'], target['inherited']]).toEqual(['patched twice', 'patched']);
    expect(patches.active).toBe(true);

    patches.undo();
    patches.undo();
    expect(Object.getOwnPropertyDescriptors(target)).toEqual(before);
    expect(target['inherited']).toBe('parent');
    expect(patches.active).toBe(false);
  });

  it('leave alone what somebody else has put in the place of theirs', () => {
    const target = { method: 'original' };
    const patches = new Patches();
    patches.replace(target, 'method', 'ours');
    target.method = 'theirs';
    patches.undo();
    expect(target.method).toBe('theirs');
  });
});
