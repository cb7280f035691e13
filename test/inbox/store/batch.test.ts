import { describe, expect, it } from '@jest/globals';
import { seq } from '../../../src/inbox/ids.js';
import { position } from '../../../src/inbox/log/position.js';
import { Batch } from '../../../src/inbox/store/batch.js';
import { seqs } from '../../support/ids.js';

const extent = { position: position(0), length: 100 };

describe('a batch', () => {
  it('knows what has become of each update in it', () => {
    const batch = new Batch(extent, seqs(7, 8, 9));
    expect([batch.first, batch.last, batch.size, batch.bytesEach]).toEqual([7, 9, 3, 34]);
    batch.setState(seq(7), 'begun');
    batch.setState(seq(8), 'settled');
    expect(seqs(6, 7, 8, 9, 10).map((of) => batch.stateOf(of))).toEqual([
      'settled',
      'begun',
      'settled',
      'waiting',
      'settled',
    ]);
    expect([batch.seqs, batch.begun, batch.size]).toEqual([[7, 9], [7], 2]);
    batch.setState(seq(9), 'settled');
    expect([batch.seqs, batch.last, batch.spans(seq(9))]).toEqual([[7], 7, true]);
  });

  it('counts the numbers between its own as settled', () => {
    const batch = new Batch(extent, seqs(3, 6, 7));
    expect([batch.seqs, batch.size, batch.bytesEach]).toEqual([[3, 6, 7], 3, 34]);
    expect(seqs(2, 3, 4, 5, 6, 7, 8).map((of) => batch.has(of))).toEqual([
      false,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(seqs(2, 3, 5, 7, 8).map((of) => batch.spans(of))).toEqual([false, true, true, true, false]);
  });
});
