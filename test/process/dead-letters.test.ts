/** What becomes of updates whose handler fails: how often they are tried again, and how long they are kept. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { fixture, spawnDaemon } from '../support/daemon.js';
import {
  allAnswered,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
  type TestBed,
} from '../support/delivery.js';
import { idle, told } from '../support/stopping.js';

jest.setTimeout(60_000);

/** The daemon drops what exceeds the limits half a second after its start, and then every ten seconds. */
const FIRST_DROP_MS = 500;
const DROP_EVERY_MS = 10_000;

async function inbox({ token, apiRoot, stateDir }: TestBed, ...args: readonly string[]): Promise<string> {
  const env = { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, STATE_DIR: stateDir };
  await using program = spawnDaemon({ args: ['inbox', ...args], env });
  await program.end();
  return program.output;
}

interface Listed {
  readonly updateId: number;
  readonly state: string;
}

async function listed(bed: TestBed): Promise<readonly Listed[]> {
  return JSON.parse(await inbox(bed, '--json')).updates;
}

/** So many people write what the bot fails at, each in a chat of their own. */
function sayFails(bed: TestBed, count: number): void {
  for (let chat = 1; chat <= count; chat++) bed.say({ chat, text: 'fail' });
}

describe('dead letters beyond DEAD_LIMIT', () => {
  it('are not dropped when updates fail, but soon after, which the log and the receipt say', async () => {
    await using bed = await openSandbox();
    await using daemon = runBot(bed, 'faulty', { env: { DEAD_LIMIT: '2' } });
    await idle(bed);
    await sleep(2 * FIRST_DROP_MS);
    sayFails(bed, 5);
    await daemon.waitFor(() => told(daemon, 'handler.failed').length === 5);
    expect(await listed(bed)).toHaveLength(5);
    expect(daemon.events()).not.toContain('inbox.dead-dropped');
    expect(await daemon.waitFor('inbox.dead-dropped', DROP_EVERY_MS + 2_000)).toMatchObject({
      level: 'warn',
      letters: 3,
      limit: 'DEAD_LIMIT',
      why: { failed: 3 },
    });
    expect(await listed(bed)).toHaveLength(2);
    expect((await daemon.stop()).code).toBe(0);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 5, failed: 5, deadDropped: 3 });
    expect(daemon.receipt.msg).toContain('5 failed, 3 dead dropped');
  });

  it('are dropped for DEAD_AGE, too', async () => {
    await using bed = await openSandbox();
    await using first = runBot(bed, 'faulty');
    sayFails(bed, 2);
    await first.waitFor(() => told(first, 'handler.failed').length === 2);
    expect((await first.stop()).code).toBe(0);
    await using next = runBot(bed, 'faulty', { env: { DEAD_AGE: '1s' } });
    await sleep(1_000);
    expect(await next.waitFor('inbox.dead-dropped', DROP_EVERY_MS + 2_000)).toMatchObject({
      letters: 2,
      limit: 'DEAD_AGE',
    });
    expect(await listed(bed)).toEqual([]);
  });

  it('are not dropped for DEAD_AGE because the clock of the machine is two months ahead', async () => {
    await using bed = await openSandbox();
    await using first = runBot(bed, 'faulty');
    sayFails(bed, 2);
    await first.waitFor(() => told(first, 'handler.failed').length === 2);
    expect((await first.stop()).code).toBe(0);
    const nodeArgs = ['--import', fixture('drivers', 'ahead-clock.mjs')];
    await using next = runBot(bed, 'faulty', { nodeArgs });
    await next.waitFor('poll.started');
    await sleep(2 * FIRST_DROP_MS);
    expect(await listed(bed)).toHaveLength(2);
    expect((await next.stop()).code).toBe(0);
    expect(countsOf(next.receipt)).toMatchObject({ deadDropped: 0 });
  });
});

describe('RETRIES', () => {
  it('outlasts a dependency that comes back, and keeps the order of each chat', async () => {
    await using bed = await openSandbox();
    for (let chat = 1; chat <= 20; chat++)
      for (const text of ['one', 'two', 'three']) bed.say({ chat, text: `${text} of ${chat}` });
    await using daemon = runBot(bed, 'recovering', { env: { RETRIES: '2', RECOVERS_AFTER_MS: '4000' } });
    await allAnswered(bed, 30_000);
    expect(mishaps(bed)).toEqual(noMishaps);
    expect(await listed(bed)).toEqual([]);
    expect((await daemon.stop()).code).toBe(0);
    const counts = countsOf(daemon.receipt);
    expect(counts).toMatchObject({ fetched: 60, handled: 60, failed: 0 });
    expect(counts.putBack).toBeGreaterThanOrEqual(20);
  });

  it('is 0 unless somebody sets it: the update is dead at once, and its chat goes on', async () => {
    await using bed = await openSandbox();
    await using daemon = runBot(bed, 'faulty');
    bed.say({ chat: 1, text: 'fail' });
    bed.say({ chat: 1, text: 'behind it' });
    await bed.waitFor(() => bed.exchanges(1)[1]?.answers.length === 1);
    expect((await daemon.stop()).code).toBe(0);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 2, handled: 1, failed: 1, putBack: 0 });
  });
});

describe('a retry of dead letters, with a daemon that is killed meanwhile', () => {
  it('leaves each update in the inbox once', async () => {
    const UPDATES = 30;
    await using bed = await openSandbox();
    await using first = runBot(bed, 'faulty');
    sayFails(bed, UPDATES);
    await first.waitFor(() => told(first, 'handler.failed').length === UPDATES);
    await first.stop();
    const ids = (await listed(bed)).map(({ updateId }) => updateId);
    expect(new Set(ids).size).toBe(UPDATES);
    for (let round = 0; round < 8; round++) {
      await using daemon = runBot(bed, 'faulty');
      await idle(bed);
      const retried = inbox(bed, 'retry', '--all');
      if (round % 2 > 0) await daemon.waitFor('inbox.requested');
      else await sleep(100 * round);
      await daemon.stop('SIGKILL');
      await retried;
      const left = (await listed(bed)).map(({ updateId }) => updateId);
      expect([...left].sort((one, other) => one - other)).toEqual(ids);
    }
  });
});
