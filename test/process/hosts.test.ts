/**
 * Several processes with one bot and one database, as on several hosts. One of them polls, all of them handle; whatever
 * happens to one of them, or to the database, the others go on: nothing is lost, the order of each chat is kept, and only
 * what was at work is handled twice.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import type { Daemon, LogLine } from '../support/daemon.js';
import { allAnswered, mishaps, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(120_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

const CHATS = 40;
const HANDLER_MS = 60;
/** HOST_KILLS=100 for a long run. */
const KILLS = Number(process.env['HOST_KILLS'] ?? 3);
/** In a longer run, processes are frozen as well. */
const FEW_KILLS = 10;

interface Fleet extends AsyncDisposable {
  readonly sandbox: TestBed;
  run(): Daemon;
  /** Says so much in each chat. */
  say(messages: number): void;
}

async function openFleet(on: PostgresServer): Promise<Fleet> {
  const sandbox = await openSandbox();
  const url = await on.createDatabase();
  const daemons: Daemon[] = [];
  let said = 0;
  return {
    sandbox,
    run() {
      const env = { INBOX: url, HANDLER_MS: `${HANDLER_MS}`, STOP_TIMEOUT: '5s', MAX_ATTEMPTS: '0' };
      const daemon = runBot(sandbox, 'deadly', { env });
      daemons.push(daemon);
      return daemon;
    },
    say(messages) {
      for (let n = 0; n < messages; n++)
        for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `message ${said++}` });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

const handled = (daemon: Daemon) => {
  const { handled = 0 } = (daemon.receipt['counts'] ?? {}) as { handled?: number };
  return handled;
};
const timeOf = ({ time }: LogLine) => Date.parse(`${time}`);

describe('processes with one bot and one database', () => {
  it(
    'go on where some of them are killed, or stand still',
    async () => {
      const killed = async () => {
        await using fleet = await openFleet(server);
        const { sandbox } = fleet;
        const first = fleet.run();
        await first.waitFor('poll.started');
        const second = fleet.run();
        await second.waitFor('inbox.standing-by');
        fleet.say(4);
        await allAnswered(sandbox);
        fleet.say(8);
        await sandbox.waitFor(() => sandbox.unanswered < CHATS * 6, 10_000);
        const { at } = await first.stop('SIGKILL');
        await second.waitFor('poll.started');
        expect(performance.now() - at).toBeLessThan(2_000);
        await allAnswered(sandbox);
        expect(performance.now() - at).toBeLessThan(7_000);
        expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
        await second.stop();
        expect(handled(second)).toBeGreaterThan(CHATS * 4);
      };

      const frozen = async () => {
        await using fleet = await openFleet(server);
        const { sandbox } = fleet;
        const first = fleet.run();
        await first.waitFor('poll.started');
        const second = fleet.run();
        await second.waitFor('inbox.standing-by');
        fleet.say(12);
        await sandbox.waitFor(() => sandbox.unanswered < CHATS * 8, 10_000);
        first.kill('SIGSTOP');
        const at = performance.now();
        await second.waitFor('poll.started');
        expect(performance.now() - at).toBeLessThan(7_000);
        await allAnswered(sandbox);
        expect(performance.now() - at).toBeLessThan(8_000);
        fleet.say(1);
        await allAnswered(sandbox);
        const wokenAt = Date.now();
        first.kill('SIGCONT');
        const lost = await first.waitFor('inbox.host-lost');
        await first.waitFor('inbox.standing-by');
        // What was at work ends, and nothing begins.
        const since = first.lines
          .slice(0, first.lines.indexOf(lost))
          .filter((line) => timeOf(line) >= wokenAt);
        expect(since.filter(({ event }) => event === 'test.begun')).toEqual([]);
        expect(mishaps(sandbox).twice).toBeLessThanOrEqual(CHATS);
        fleet.say(2);
        await allAnswered(sandbox);
        expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
        await first.stop();
        await second.stop();
      };

      const killedAgainAndAgain = async () => {
        await using fleet = await openFleet(server);
        const { sandbox } = fleet;
        const random = seededRandom(KILLS);
        const daemons = [fleet.run(), fleet.run(), fleet.run()];
        await daemons[0]?.waitFor('inbox.opened');
        for (let kill = 0; kill < KILLS; kill++) {
          fleet.say(2);
          await sleep(random() * 400);
          const at = Math.floor(random() * daemons.length);
          if (KILLS > FEW_KILLS && random() < 0.3) {
            // Some come back before they are missed, and some after.
            daemons[at]?.kill('SIGSTOP');
            await sleep(random() * 8_000);
            daemons[at]?.kill('SIGCONT');
            continue;
          }
          const [victim] = daemons.splice(at, 1, fleet.run());
          await victim?.stop('SIGKILL');
        }
        await allAnswered(sandbox, 30_000 + KILLS * 1_000);
        expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
      };
      // Side by side, since each of them waits for leases to end.
      await Promise.all([killed(), frozen(), killedAgainAndAgain()]);
    },
    60_000 + KILLS * 5_000,
  );

  it('hand over within moments where the one that polls stops', async () => {
    await using fleet = await openFleet(server);
    const { sandbox } = fleet;
    let polls = fleet.run();
    await polls.waitFor('poll.started');
    for (let round = 0; round < 2; round++) {
      const next = fleet.run();
      await next.waitFor('inbox.standing-by');
      fleet.say(3);
      await sandbox.waitFor(() => sandbox.unanswered < CHATS * 2, 10_000);
      const exit = polls.stop();
      const ended = await polls.waitFor('poll.stopped');
      const began = await next.waitFor('poll.started');
      expect(timeOf(began) - timeOf(ended)).toBeLessThan(1_000);
      expect(await exit).toMatchObject({ code: 0 });
      polls = next;
    }
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toEqual({ lost: 0, twice: 0, outOfOrder: 0 });
    expect(await polls.stop()).toMatchObject({ code: 0 });
  });

  it('lose nothing where the database crashes', async () => {
    await using own = await PostgresServer.start({ settings: { fsync: 'on' } });
    await using fleet = await openFleet(own);
    const { sandbox } = fleet;
    const daemons = [fleet.run(), fleet.run()];
    await Promise.all(daemons.map((daemon) => daemon.waitFor('inbox.opened')));
    fleet.say(3);
    await sandbox.waitFor(() => sandbox.unanswered < CHATS * 2, 10_000);
    fleet.say(1);
    await own.restart('immediate');
    await allAnswered(sandbox);
    expect(mishaps(sandbox)).toMatchObject({ lost: 0, outOfOrder: 0 });
    for (const daemon of daemons) expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});
