/** DEAD_LIMIT and DEAD_AGE with several processes: who polls drops what is beyond them, and tells it once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { backgroundClock, type Clock } from '../../../src/clock.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import { PostgresInbox } from '../../../src/inbox/postgres/postgres-inbox.js';
import { PostgresServer } from '../../support/postgres.js';

interface Update {
  readonly update_id: number;
}

/** How often a process counts, and looks at the limits. */
const COUNT_EVERY_MS = 10_000;

/** On which that comes at once. */
const hasty: Clock = {
  ...backgroundClock,
  after: (ms, callback) => backgroundClock.after(ms === COUNT_EVERY_MS ? 20 : ms, callback),
};

const limits = { number: 3, ageMs: 86_400_000 };

let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.createDatabase();
});

const open: Host[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((host) => host.close()));
});

class Host {
  readonly dropped: InboxEvent[] = [];
  readonly inbox = new PostgresInbox<Update>({
    bot: 'a bot',
    place: 'here',
    path: 'a database',
    createDriver: () => createDriver(url),
    keyOf: ({ update_id }) => `${update_id}`,
    groupOf: () => undefined,
    kindOf: () => 'message',
    clock: hasty,
    leaseClock: hasty,
    leaseMs: 60_000,
    maxAttempts: 3,
    deadLetterLimits: limits,
    concurrency: 10,
    limit: 1_000,
    restore: (content) => content as Update,
    errorText: String,
    available: () => this.#fail(),
    emit: (event) => {
      if (event.event === 'inbox.dead-dropped') this.dropped.push(event);
    },
  });

  static async begin(): Promise<Host> {
    const host = new Host();
    await host.inbox.open();
    open.push(host);
    return host;
  }

  async poll(...ids: readonly number[]): Promise<void> {
    await this.inbox.nextTurn(AbortSignal.timeout(5_000));
    await this.inbox.accept(ids.map((update_id) => ({ update_id })));
  }

  /** Each update fails at once. */
  #fail(): void {
    for (let taken = this.inbox.take(1); taken.length > 0; taken = this.inbox.take(1))
      for (const entry of taken) this.inbox.settle(entry, 'failed');
  }

  async close(): Promise<void> {
    this.inbox.drain();
    await this.inbox.close();
  }
}

const kept = async () =>
  (await server.queryTables('select update_id::int as id from dead_letters order by update_id', url)).map(
    ({ id }) => id,
  );

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 8_000; !(await isSo()); await sleep(5))
    if (Date.now() > end) throw new Error(`not in time: ${isSo}`);
}

const dropped = (hosts: readonly Host[]) =>
  hosts
    .flatMap((host) => host.dropped)
    .reduce((sum, event) => sum + ('letters' in event ? event.letters : 0), 0);

it('keep the newest of all processes, and count what is dropped once', async () => {
  const hosts = [await Host.begin(), await Host.begin()] as const;
  const [polls, other] = hosts;
  await polls.poll(1, 2, 3, 4, 5, 6, 7, 8);
  await until(() => dropped(hosts) >= 5);
  expect(await kept()).toHaveLength(3);
  expect(dropped(hosts)).toBe(5);
  expect(other.dropped).toEqual([]);
  expect(polls.dropped[0]).toMatchObject({ limit: 'DEAD_LIMIT', why: { failed: expect.any(Number) } });
  await until(() => hosts.every(({ inbox }) => inbox.counts.dead === 3));
});

it('drop what is too old, also where the process that polls is another one by then', async () => {
  const [first, second] = [await Host.begin(), await Host.begin()];
  await first.poll(1, 2);
  await until(async () => (await kept()).length === 2);
  await first.close();
  await second.poll(3);
  await until(async () => (await kept()).length === 3);
  await server.queryTables("update dead_letters set at = at - interval '2 days' where update_id < 3", url);
  await until(() => dropped([second]) === 2);
  expect(second.dropped).toEqual([
    { event: 'inbox.dead-dropped', letters: 2, limit: 'DEAD_AGE', why: { failed: 2 } },
  ]);
  expect(await kept()).toEqual([3]);
});
