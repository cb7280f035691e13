/** What a process asks for depends on what it has that can begin. */
import { expect, test } from '@jest/globals';
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import { Item } from '../../../src/inbox/postgres/item.js';
import { Reserve } from '../../../src/inbox/postgres/reserve.js';
import { FakeClock } from '../../support/fake-clock.js';

const createReserve = () =>
  new Reserve<unknown>({
    clock: new FakeClock(),
    isSuspect: ({ stored }) => stored.deaths > 1,
    available() {},
    thinned() {},
    unmarked() {},
  });

function itemOf(
  number: number,
  { chat = `${number}`, deaths = 0, album = undefined as string | undefined } = {},
) {
  const stored = {
    seq: seq(number),
    updateId: updateId(number),
    key: orderKey(chat),
    group: album,
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
  return new Item(stored, 1, (content) => content);
}

function laneOf(...items: readonly Item<unknown>[]) {
  const [first] = items;
  const last = items.at(-1);
  if (!first || !last) throw new Error('a lane has updates');
  return { key: first.key, given: last.seq, isDoubtful: false, items };
}

test('lanes that wait for a suspect to end are not idle', () => {
  const reserve = createReserve();
  for (let number = 1; number <= 40; number++) reserve.add(laneOf(itemOf(number, { deaths: 2 })));
  reserve.add(laneOf(itemOf(41)));
  expect(reserve.idleLanes).toBe(2);
  const first = reserve.take();
  expect(first?.seq).toBe(41);
  expect(reserve.idleLanes).toBe(1);
  reserve.close();
});

test('a lane is counted once, however many of its updates wait', () => {
  const reserve = createReserve();
  const album = { chat: 'a chat', album: 'an album' };
  reserve.add(laneOf(itemOf(1, album), itemOf(2, album), itemOf(3, album)));
  reserve.add(laneOf(itemOf(4)));
  const retry = { delayMs: 1_000, isRetry: true };
  const taken = [1, 2, 3, 4].map(() => reserve.take());
  for (const item of taken) if (item?.group !== undefined) reserve.putBack(item, retry);
  expect(reserve.idleLanes).toBe(0);
  reserve.add(laneOf(itemOf(5)));
  expect(reserve.idleLanes).toBe(1);
  reserve.close();
});
