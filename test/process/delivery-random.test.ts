/**
 * Small lives at random, the same in every run: polls fail, bots are stopped at any moment and started again, people
 * go on writing. Whatever happens, nothing is lost; and nothing is handled twice but what a receipt has told of.
 */
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import type { Daemon } from '../support/daemon.js';
import { allAnswered, answers, countsOf, mishaps, openSandbox, runBot } from '../support/delivery.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

/** The choices of one life. */
function choices(seed: number) {
  const random = seededRandom(seed);
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  return {
    upTo,
    chance: (probability: number) => random() < probability,
    pick: <T>(first: T, ...others: T[]): T => [first, ...others][upTo(others.length)] ?? first,
  };
}

type Choices = ReturnType<typeof choices>;

function sayMore(sandbox: Sandbox, { upTo }: Choices): void {
  const { said } = sandbox.report();
  const count = 10 + upTo(30);
  for (let n = said; n < said + count; n++) sandbox.say({ chat: 1 + upTo(7), text: `message${n}` });
}

/** Now and then an answer makes people write more, up to a point. */
function keepTalking(sandbox: Sandbox, chosen: Choices): void {
  sandbox.onMessage(() => {
    if (sandbox.report().said < 300 && chosen.chance(0.05)) sayMore(sandbox, chosen);
  });
}

function addFaults(sandbox: Sandbox, { upTo, chance }: Choices): void {
  sandbox.removeFaults();
  if (chance(0.7)) sandbox.addFault({ kind: 'assorted', method: 'getUpdates', fraction: upTo(30) / 100 });
  if (chance(0.3)) sandbox.addFault({ kind: 'latency', ms: upTo(40) });
  if (chance(0.2)) sandbox.addFault({ kind: 'refuse', forMs: upTo(300) });
}

/** Comes at the moment of the stop. */
function stopMoment(sandbox: Sandbox, daemon: Daemon, { upTo, pick }: Choices): Promise<unknown> {
  const sent = sandbox.callCount('sendMessage');
  const left = sandbox.report().unanswered;
  return pick<() => Promise<unknown>>(
    () => daemon.waitFor('lifecycle.starting'),
    () => daemon.waitFor('poll.connected'),
    () => daemon.waitFor('poll.started'),
    () => answers(sandbox, sent + 1 + upTo(left - 1)),
    () => answers(sandbox, sent + 1 + upTo(left - 1)),
    () => answers(sandbox, sent + left),
  )();
}

/** Started by the first life that needs it. */
let server: Promise<PostgresServer> | undefined;
afterAll(async () => (await server)?.stop());

async function createDatabase(): Promise<string> {
  server ??= PostgresServer.start({ settings: { max_connections: '200' } });
  return (await server).createDatabase();
}

const seeds = (number: number) => Array.from({ length: number }, (_, n) => n + 1);

describe.each([
  ['journal', seeds(20)],
  ['postgres', seeds(6)],
] as const)('a life with faults, stops and restarts (INBOX=%s)', (inbox, seedsOfInbox) => {
  it.concurrent.each(seedsOfInbox)('loses nothing and does nothing twice, seed %i', async (seed) => {
    const chosen = choices(seed);
    const { upTo, pick } = chosen;
    await using sandbox = await openSandbox({ seed });
    const INBOX = inbox === 'postgres' ? await createDatabase() : inbox;
    keepTalking(sandbox, choices(seed + 1_000));
    let mayRepeat = 0;
    let handled = 0;
    const runs = 2 + upTo(2);
    for (let run = 1; run <= runs; run++) {
      sayMore(sandbox, chosen);
      addFaults(sandbox, chosen);
      const env = {
        INBOX,
        HANDLER_MS: `${upTo(30)}`,
        CONCURRENCY: `${1 + upTo(7)}`,
        POLL_TIMEOUT: '1s',
      };
      await using daemon = runBot(sandbox, 'uneven', { env });
      const moment = run < runs ? stopMoment(sandbox, daemon, chosen) : allAnswered(sandbox, 40_000);
      sayMore(sandbox, chosen);
      await moment;
      if (run === runs) await allAnswered(sandbox, 40_000);

      expect(await daemon.stop(pick('SIGTERM', 'SIGINT'))).toMatchObject({ code: 0 });
      const counts = countsOf(daemon.receipt);
      mayRepeat += counts.mayRepeat;
      handled += counts.handled;
      if (!daemon.events().includes('poll.confirm-failed')) expect(counts.mayRepeat).toBe(0);
    }
    const { lost, twice, outOfOrder } = mishaps(sandbox);
    expect({ lost, outOfOrder }).toEqual({ lost: 0, outOfOrder: 0 });
    expect(twice).toBeLessThanOrEqual(mayRepeat);
    expect(handled).toBe(sandbox.exchanges().flatMap(({ answers }) => answers).length);
  });
});
