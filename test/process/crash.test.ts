/**
 * Processes that are killed under load, again and again, at moments nobody chose; and machines that lose their power.
 * Whatever the moment, no update is lost, and none is handled twice whose settling was safe.
 */
import { cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { InboxView } from '../../src/inbox/store/view.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import { identityOfToken } from '../../src/telegraf/identity.js';
import { fixture, median } from '../support/daemon.js';
import { allAnswered, mishaps, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { viewOptions } from '../support/inbox-folder.js';

/** A hundred, unless it is said: CRASH_KILLS=1000 for a long run. */
const KILLS = Number(process.env['CRASH_KILLS'] ?? 100);
const POWER_CUTS = Math.ceil(KILLS / 5);
/** What a handler has ended with is safe by then. */
const GROUP_COMMIT_MS = 20;
/** What is settled goes, however often the process dies: this is as much as one segment of the log may take. */
const LARGEST_LOG_BYTES = 4 * 1024 * 1024;

jest.setTimeout(60_000 + KILLS * 3_000);

let sandbox: TestBed;
beforeEach(async () => {
  sandbox = await openSandbox();
});
afterEach(async () => {
  await sandbox[Symbol.asyncDispose]();
});

interface Kill {
  readonly atMs: number;
  /** The ids of what the next process will find. */
  readonly unsettled: ReadonlySet<number>;
}

/** The ids of what a process that starts now will find in its inbox. */
function unsettled(): Set<number> {
  const bot = botKey(identityOfToken(sandbox.token, sandbox.apiRoot));
  const folder = join(sandbox.stateDir, bot, 'inbox');
  const view = new InboxView(viewOptions(folder, bot));
  expect(view.damaged).toBe(false);
  return new Set([...view.updates(['waiting', 'interrupted'])].map(({ updateId }) => updateId));
}

/** How much the log of the inbox takes on the disk. */
function logBytes(): number {
  const bot = botKey(identityOfToken(sandbox.token, sandbox.apiRoot));
  const log = join(sandbox.stateDir, bot, 'inbox', 'log');
  return readdirSync(log).reduce((bytes, name) => bytes + statSync(join(log, name)).size, 0);
}

/** Life after life under load, each killed at some moment from its first breath on; the last one does the rest. */
async function killAgainAndAgain(
  times: number,
  options: Parameters<typeof runBot>[2],
  killed = () => {},
): Promise<Kill[]> {
  const random = seededRandom(times);
  const kills: Kill[] = [];
  for (let life = 0; life < times; life++) {
    for (let n = 0; n < 60; n++)
      sandbox.say({ chat: 1 + Math.floor(random() * 20), text: `message${life}x${n}` });
    await using daemon = runBot(sandbox, 'uneven', options);
    // One life in eight does not get as far as a poll.
    if (random() < 0.125) await sleep(random() * 150);
    else {
      await daemon.waitFor('poll.started');
      await sleep(random() * 150);
    }
    await daemon.stop('SIGKILL');
    const atMs = performance.now();
    killed();
    kills.push({ atMs, unsettled: unsettled() });
  }
  await using daemon = runBot(sandbox, 'uneven', options);
  await daemon.waitFor('poll.started');
  await allAnswered(sandbox, 60_000);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(unsettled()).toEqual(new Set());
  expect(logBytes()).toBeLessThan(LARGEST_LOG_BYTES);
  return kills;
}

/**
 * Holds what happened to the promise, and says how often an update was handled twice.
 * @returns for each kill, how long before it the oldest handler had ended whose settling was lost, in milliseconds
 */
function reckon(kills: readonly Kill[]): number[] {
  const { lost, outOfOrder, twice } = mishaps(sandbox);
  expect({ lost, outOfOrder }).toEqual({ lost: 0, outOfOrder: 0 });

  let settledAndRepeated = 0;
  const oldestMs = kills.map(() => 0);
  for (const { updateId, answers } of sandbox.exchanges()) {
    for (const [kill, { atMs, unsettled }] of kills.entries()) {
      const before = answers.filter((answer) => answer.atMs <= atMs).at(-1);
      if (!before) continue;
      const again = answers.some((answer) => answer.atMs > atMs);
      const wasSettled = updateId === undefined || !unsettled.has(updateId);
      if (again && wasSettled) settledAndRepeated++;
      if (!wasSettled && before.atMs > (kills[kill - 1]?.atMs ?? 0))
        oldestMs[kill] = Math.max(oldestMs[kill] ?? 0, atMs - before.atMs);
    }
  }
  expect(settledAndRepeated).toBe(0);
  const { said } = sandbox.report();
  process.stdout.write(
    `${kills.length} kills, ${said} updates: lost ${lost}, out of order ${outOfOrder}, handled twice ${twice}\n`,
  );
  return oldestMs;
}

const env = { HANDLER_MS: '15', MAX_ATTEMPTS: '0', CONCURRENCY: '8' };

describe('an inbox whose process is killed under load', () => {
  it('loses nothing, and repeats only what was running or had just ended', async () => {
    const kills = await killAgainAndAgain(KILLS, { env });
    expect(median(reckon(kills).slice(1))).toBeLessThan(GROUP_COMMIT_MS);
  });

  it('does so without syncs as well', async () => {
    const kills = await killAgainAndAgain(POWER_CUTS, { env: { ...env, DURABILITY: 'process' } });
    expect(
      median(
        reckon(kills)
          .concat(0)
          .slice(-POWER_CUTS | 1),
      ),
    ).toBeLessThan(GROUP_COMMIT_MS);
  });
});

describe('an inbox whose machine loses its power under load', () => {
  it('loses nothing, and repeats only what was running or not yet safe', async () => {
    using safe = new Folder();
    const powerCut = fixture('drivers', 'power-cut.mjs');
    const options = {
      env: { ...env, SAFE_DIR: safe.path },
      nodeArgs: ['--import', pathToFileURL(powerCut).href],
    };
    /** Only what was synced is still there. */
    const powerIsBack = () => {
      const log = join(botKey(identityOfToken(sandbox.token, sandbox.apiRoot)), 'inbox', 'log');
      rmSync(join(sandbox.stateDir, log), { recursive: true, force: true });
      if (existsSync(safe.file(log)))
        cpSync(safe.file(log), join(sandbox.stateDir, log), { recursive: true });
    };
    reckon(await killAgainAndAgain(POWER_CUTS, options, powerIsBack));
  });
});
