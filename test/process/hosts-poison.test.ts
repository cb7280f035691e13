/** An update that ends the process, whichever of several hosts has it: it alone is given up. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Daemon } from '../support/daemon.js';
import { mishaps } from '../support/delivery.js';
import { FLEET_CHATS, Fleet, timeOf } from '../support/fleet.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(120_000);

const MAX_ATTEMPTS = 3;
const POISONED_CHAT = 1_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

it('is given up after the third death, and nothing that ran beside it', async () => {
  const url = await server.createDatabase();
  await using fleet = await Fleet.open(url, { env: { MAX_ATTEMPTS: `${MAX_ATTEMPTS}` } });
  const { sandbox } = fleet;
  let isOver = false;
  /** Runs a host, and starts it again when it dies, as a supervisor does. Resolves with the process that was not killed. */
  const supervise = async (): Promise<Daemon> => {
    for (;;) {
      const daemon = fleet.run();
      await daemon.exited;
      if (isOver) return daemon;
    }
  };
  const hosts = [supervise(), supervise(), supervise()];
  await Promise.all(fleet.daemons.map((daemon) => daemon.waitFor('inbox.opened')));

  fleet.say(1);
  const [poison] = sandbox.say({ chat: POISONED_CHAT, text: 'kill' });
  sandbox.say({ chat: POISONED_CHAT, text: 'behind it in its chat' });
  fleet.say(2);
  await sandbox.waitFor(() => sandbox.unanswered === 1, 60_000);
  isOver = true;
  for (const daemon of fleet.daemons) daemon.kill('SIGTERM');
  for (const daemon of await Promise.all(hosts)) expect(await daemon.end()).toMatchObject({ code: 0 });

  const begun = fleet.daemons
    .flatMap(({ lines }) => lines)
    .filter(({ event, updateId }) => event === 'test.begun' && updateId === poison)
    .toSorted((one, other) => timeOf(one) - timeOf(other));
  expect(begun.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(fleet.daemons).toHaveLength(3 + MAX_ATTEMPTS);
  const dead = fleet.daemons.flatMap(({ lines }) => lines.filter(({ event }) => event === 'inbox.dead'));
  expect(dead).toMatchObject([{ updateId: poison, why: 'died', attempts: MAX_ATTEMPTS, level: 'error' }]);
  expect(
    await server.query(
      'select update_id, why, attempts from lastcall.dead_letters',
      new URL(url).pathname.slice(1),
    ),
  ).toEqual([{ update_id: `${poison}`, why: 'died', attempts: MAX_ATTEMPTS }]);
  expect(sandbox.report()).toMatchObject({ answered: FLEET_CHATS * 3 + 1 });
  expect(mishaps(sandbox)).toMatchObject({ lost: 1, outOfOrder: 0 });
});
