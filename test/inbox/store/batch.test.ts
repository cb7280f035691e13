import { describe, expect, it } from '@jest/globals';
import { Batch } from '../../../src/inbox/store/batch.js';

const place = { position: 0, length: 100 };

describe('a batch', () => {
  it('knows what has become of each update in it', () => {
    const batch = new Batch(place, [7, 8, 9]);
    expect([batch.first, batch.last, batch.size, batch.bytesEach]).toEqual([7, 9, 3, 34]);
    batch.become(7, 'begun');
    batch.become(8, 'settled');
    expect([6, 7, 8, 9, 10].map((seq) => batch.stateOf(seq))).toEqual([
      'settled',
      'begun',
      'settled',
      'waiting',
      'settled',
    ]);
    expect([batch.seqs, batch.begun, batch.size]).toEqual([[7, 9], [7], 2]);
    batch.become(9, 'settled');
    expect([batch.seqs, batch.last, batch.spans(9)]).toEqual([[7], 7, true]);
  });

  it('counts the numbers between its own as settled', () => {
    const batch = new Batch(place, [3, 6, 7]);
    expect([batch.seqs, batch.size, batch.bytesEach]).toEqual([[3, 6, 7], 3, 34]);
    expect([2, 3, 4, 5, 6, 7, 8].map((seq) => batch.has(seq))).toEqual([
      false,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect([2, 3, 5, 7, 8].map((seq) => batch.spans(seq))).toEqual([false, true, true, true, false]);
  });
});
