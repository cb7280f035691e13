/** What a process asks for depends on what it has that can begin. */
import { expect, test } from '@jest/globals';
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import { Item } from '../../../src/inbox/postgres/item.js';
import { Reserve } from '../../../src/inbox/postgres/reserve.js';
import { FakeClock } from '../../support/fake-clock.js';

test('lanes that wait for a suspect to end are not idle', () => {
  const reserve = new Reserve<unknown>({
    clock: new FakeClock(),
    isSuspect: ({ stored }) => stored.deaths > 1,
    available() {},
    thinned() {},
    unmarked() {},
  });
  const add = (number: number, deaths: number) => {
    const key = orderKey(`${number}`);
    const stored = {
      seq: seq(number),
      updateId: updateId(number),
      key,
      group: undefined,
      kind: 'message',
      content: '{}',
      acceptedAtMs: 0,
      attempts: deaths,
      deaths,
      cuts: 0,
      putBacks: 0,
      retries: 0,
      delayMs: 0,
    };
    const items = [new Item(stored, 1, (content) => content)];
    reserve.add({ key, given: seq(number), isDoubtful: false, items });
  };
  for (let number = 1; number <= 40; number++) add(number, 2);
  add(41, 0);
  expect(reserve.idleLanes).toBe(2);
  const first = reserve.take();
  expect(first?.seq).toBe(41);
  expect(reserve.idleLanes).toBe(1);
  reserve.close();
});
