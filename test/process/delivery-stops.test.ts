/** Stops, crashes and kills under load, and restarts after them: no update is lost, and none is handled twice. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import type { Daemon } from '../support/daemon.js';
import {
  allAnswered,
  answers,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
} from '../support/delivery.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

const UPDATES = 600;
const CHATS = 50;
const HANDLER_MS = 150;
/** What a stop may take beyond what it waits for. */
const MARGIN_MS = 250;
const env = { HANDLER_MS: String(HANDLER_MS) };

/** Who writes the nth message. */
type Order = (n: number) => number;
const roundRobin: Order = (n) => n % CHATS;
const atRandom = (seed: number): Order => {
  const random = seededRandom(seed);
  return () => Math.floor(random() * CHATS);
};

function sayAll(sandbox: Sandbox, order: Order): void {
  for (let n = 0; n < UPDATES; n++) sandbox.say({ chat: 1 + order(n), text: `message${n}` });
}

/** What began before the drain, and what began in it: `telling` writes a line for each. */
function begun(daemon: Daemon) {
  const drain = daemon.lines.findIndex(({ event }) => event === 'drain.started');
  const ofTest = (line: Daemon['lines'][number]) => line.event === 'test.begun';
  return {
    before: daemon.lines.slice(0, drain).filter(ofTest),
    inDrain: daemon.lines.slice(drain).filter(ofTest),
  };
}

/** How many handlers the drain had to wait for one after the other: one that ran, and then its chat's gaps. */
function longestChain(inDrain: readonly Daemon['lines'][number][]): number {
  const perChat = new Map<unknown, number>();
  for (const { chat } of inDrain) perChat.set(chat, (perChat.get(chat) ?? 0) + 1);
  return 1 + Math.max(0, ...perChat.values());
}

describe('600 waiting updates of 50 chats, stopped in the middle and started again until all are done', () => {
  it.each([
    ['memory', 'round-robin', roundRobin],
    ['memory', 'at random', atRandom(1)],
    ['journal', 'round-robin', roundRobin],
    ['journal', 'at random', atRandom(1)],
    ['postgres', 'at random', atRandom(1)],
  ])(
    '%s, %s: nothing lost, nothing twice, in order; a stop takes as long as its gaps do',
    async (inbox, _, order) => {
      await using sandbox = await openSandbox();
      sayAll(sandbox, order);
      const INBOX = inbox === 'postgres' ? await server.createDatabase() : inbox;

      let handled = 0;
      let gaps = 0;
      // Each stop finds a batch half done; the last run is stopped when all is.
      for (const stopAfter of [130, 370, UPDATES]) {
        await using daemon = runBot(sandbox, 'telling', { env: { ...env, INBOX } });
        await answers(sandbox, stopAfter);
        const { code } = await daemon.stop();
        expect(code).toBe(0);

        const { receipt } = daemon;
        const counts = countsOf(receipt);
        expect(counts).toMatchObject({ failed: 0, timedOut: 0, mayRepeat: 0 });
        handled += counts.handled;
        expect(mishaps(sandbox)).toEqual({ lost: UPDATES - handled, twice: 0, outOfOrder: 0 });
        if (inbox === 'memory') expect(sandbox.state().queued).toBe(UPDATES - handled);

        const { before, inDrain } = begun(daemon);
        const newest = Math.max(...before.map(({ updateId }) => Number(updateId)));
        for (const { updateId } of inDrain) expect(updateId).toBeLessThan(newest);
        expect(receipt['stopDurationMs']).toBeLessThan(longestChain(inDrain) * HANDLER_MS + MARGIN_MS);
        gaps += inDrain.length;
      }
      expect(handled).toBe(UPDATES);
      expect(mishaps(sandbox)).toEqual(noMishaps);
      // Where each chat has its turn, all that is older than the newest one begun has begun as well.
      if (order !== roundRobin && inbox === 'memory') expect(gaps).toBeGreaterThan(0);
      if (inbox !== 'memory') expect(gaps).toBe(0);
    },
  );
});

describe('a kill under load', () => {
  it('loses nothing with the inbox in memory, and at most one batch comes twice', async () => {
    await using sandbox = await openSandbox();
    sayAll(sandbox, atRandom(3));
    const env = { HANDLER_MS: '50', INBOX: 'memory' };
    {
      await using daemon = runBot(sandbox, 'telling', { env });
      await answers(sandbox, 250);
      expect(await daemon.stop('SIGKILL')).toMatchObject({ code: null, signal: 'SIGKILL' });
    }
    await using daemon = runBot(sandbox, 'telling', { env });
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    const { lost, twice, outOfOrder } = mishaps(sandbox);
    expect({ lost, outOfOrder }).toEqual({ lost: 0, outOfOrder: 0 });
    expect(twice).toBeGreaterThan(0);
    expect(twice).toBeLessThanOrEqual(100);
  });
});

describe('a fault with 50 handlers running', () => {
  it.each([
    ['throw', 'uncaught exception'],
    ['reject', 'unhandled rejection'],
  ])('%s: exit 70, and after the restart nothing is lost or done twice', async (text, reason) => {
    await using sandbox = await openSandbox();
    for (let chat = 1; chat < CHATS; chat++) sandbox.say({ chat, text: `early${chat}` });
    sandbox.say({ chat: CHATS, text });
    sandbox.say({ chat: 1, text: 'late{n}', count: 150 });
    {
      await using daemon = runBot(sandbox, 'faulty', { env: { ...env, INBOX: 'memory' } });
      expect(await daemon.end()).toMatchObject({ code: 70 });
      expect(await daemon.waitFor('drain.started')).toMatchObject({ running: CHATS });
      expect(await daemon.waitFor('process.fault')).toMatchObject({ level: 'error' });
      const { receipt } = daemon;
      expect(receipt['reason']).toContain(reason);
      expect(countsOf(receipt)).toMatchObject({ fetched: 100, handled: CHATS, left: 50, mayRepeat: 0 });
    }
    await using daemon = runBot(sandbox, 'echo');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});
