/** A process asks for lanes until it has enough that can begin, or there are no more. */
import { expect, test } from '@jest/globals';
import { Claims } from '../../../src/inbox/postgres/claims.js';
import type { Query } from '../../../src/inbox/postgres/queries.js';
import { Reserve } from '../../../src/inbox/postgres/reserve.js';
import type { ClaimedRow } from '../../../src/inbox/postgres/statements/claims.js';
import { FakeClock } from '../../support/fake-clock.js';

const row = (number: number, { delayMs = 0, deaths = 0 }): ClaimedRow => ({
  key: `${number}`,
  isFresh: true,
  isDoubtful: deaths > 0,
  last: number,
  update: {
    seq: number,
    updateId: number,
    album: undefined,
    kind: 'message',
    content: '{}',
    attempts: deaths,
    deaths,
    cuts: 0,
    putBacks: 0,
    retries: 0,
    ageMs: 0,
    delayMs,
  },
});

/** Claims from a database that has these lanes, those with the oldest updates first. */
function claimsOf(rows: readonly ClaimedRow[]) {
  const clock = new FakeClock();
  const reserve = new Reserve<unknown>({
    clock,
    isSuspect: ({ stored }) => stored.deaths > 1,
    available() {},
    thinned() {},
    unmarked() {},
  });
  const free = [...rows];
  const asked: number[] = [];
  const work = {
    async query<R>(_: Query<R>, values: readonly unknown[] = []): Promise<readonly R[]> {
      const most = Number(values[1]);
      asked.push(most);
      return free.splice(0, most) as readonly unknown[] as readonly R[];
    },
    transaction: () => Promise.reject(new Error('no answer was lost')),
  };
  const claims = new Claims<unknown>({
    database: { work } as unknown as ConstructorParameters<typeof Claims<unknown>>[0]['database'],
    clock,
    now: () => 0,
    restore: (content) => content,
    reserve: () => reserve,
    known: () => new Map(),
    host: () => 1,
    given() {},
    failed(error) {
      throw error;
    },
  });
  return { claims, reserve, asked };
}

const waitsInVain = [
  ['whose first update was put back', { delayMs: 600_000 }],
  ['of suspects, of which one at a time begins', { deaths: 2 }],
] as const;

test.each(waitsInVain)('a lane that can begin waits behind none %s', async (_, why) => {
  const delayed = Array.from({ length: 100 }, (_, index) => row(index + 1, why));
  const { claims, reserve, asked } = claimsOf([...delayed, row(101, {})]);
  claims.wake();
  await claims.settled();
  expect(reserve.take()?.seq).toBe(101);
  // The last answer has fewer than were asked for: there is no more.
  expect(asked.length).toBeLessThan(20);
  reserve.close();
});

test('what is found to be all is asked for once', async () => {
  const { claims, reserve, asked } = claimsOf([row(1, {})]);
  claims.wake();
  await claims.settled();
  expect(asked).toEqual([8]);
  reserve.close();
});

test('no more is asked for than enough', async () => {
  const { claims, reserve, asked } = claimsOf(Array.from({ length: 100 }, (_, index) => row(index + 1, {})));
  claims.wake();
  await claims.settled();
  expect(asked).toEqual([8]);
  reserve.close();
});
