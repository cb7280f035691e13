import { describe, expect, it } from '@jest/globals';
import { guarded } from '../src/listener.js';

describe('a guarded listener', () => {
  it('is told what it was told before', () => {
    const told: unknown[] = [];
    guarded((event: string, bot: number) => told.push([event, bot]))('x', 7);
    expect(told).toEqual([['x', 7]]);
  });

  it('keeps what it throws to itself', () => {
    const tell = guarded(() => {
      throw new Error('the disk of the log is full');
    });
    expect(() => tell()).not.toThrow();
  });
});
