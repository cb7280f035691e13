import { expect, it } from '@jest/globals';
import { TurnLimit } from '../../../src/inbox/journal/turn-limit.js';
import { settle } from '../../support/fake-clock.js';

it('lets 25 updates start in a turn of the event loop, and tells when the next turn has come', async () => {
  let turns = 0;
  const limit = new TurnLimit(() => turns++);
  expect(limit.left).toBe(25);
  limit.spend(20);
  expect(limit.left).toBe(5);
  limit.spend(5);
  expect([limit.left, turns]).toEqual([0, 0]);
  await settle();
  expect(turns).toBe(1);
  expect(limit.left).toBe(25);
  await settle();
});

it('counts nothing, and tells nothing, while nobody asks', async () => {
  let turns = 0;
  const limit = new TurnLimit(() => turns++);
  limit.spend(100);
  await settle();
  expect(turns).toBe(0);
  expect(limit.left).toBe(25);
  await settle();
});

it('may be asked again by the one who is told of the next turn', async () => {
  const given: number[] = [];
  const limit: TurnLimit = new TurnLimit(() => {
    if (given.length === 2) return;
    given.push(limit.left);
    limit.spend(limit.left);
  });
  limit.spend(limit.left);
  for (let turn = 0; turn < 3; turn++) await settle();
  expect(given).toEqual([25, 25]);
});
