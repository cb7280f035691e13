/** Bots that lastcall cannot poll: each is refused at its first poll, none of which reaches Telegram, and leaves nothing behind. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { fixture } from '../support/daemon.js';
import { allAnswered, runProgram } from '../support/delivery.js';
import { expectGoodEnd, launch } from '../support/programs.js';
import { expectStopped, idle } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** How long the loading of two copies of Node may take here; the program itself is given a minute. */
const AT_ONCE_MS = 10_000;

/** Runs a program to its end, which has to come by itself; it has ended when all processes have that it has started. */
async function expectRefused(
  name: string,
  env: Readonly<Record<string, string>>,
  { code, reason }: { readonly code: string; readonly reason: string | RegExp },
) {
  sandbox.say('hello');
  await using daemon = launch(sandbox, name, { env, detached: true });
  const exit = await daemon.end(AT_ONCE_MS);
  const receipt = expectStopped(daemon, { ...exit, tookMs: 0 }, { reason, code: 78, outcome: 'clean' });
  expect(receipt).toMatchObject({ err: { code } });
  expect(daemon.events()).not.toContain('process.fault');
  expect(sandbox.callCount('getUpdates')).toBe(0);
}

describe('a bot that is none of Telegraf 4', () => {
  const runsTelegraf3 = /telegraf-3\.js runs a bot of Telegraf 3\.38\.0; lastcall runs Telegraf 4$/;

  it.each([
    ['of Telegraf 3, launched', 'telegraf-3.js', {}, runsTelegraf3],
    ['of Telegraf 3, exported', 'telegraf-3.js', { EXPORTED: '1' }, runsTelegraf3],
    [
      'of grammY',
      'grammy.js',
      {},
      /grammy\.js fetches updates with grammY [\d.]+; lastcall runs bots of Telegraf 4$/,
    ],
    [
      'of no library, by http',
      'polls-by-http.mjs',
      {},
      /fetches updates by itself \(getUpdates in .*polls-by-http\.mjs\)/,
    ],
    [
      'of no library, by fetch',
      'polls-by-fetch.mjs',
      {},
      /fetches updates by itself \(getUpdates in .*polls-by-fetch\.mjs\)/,
    ],
  ])('is refused, and told what it is: %s', async (_, name, env, reason) => {
    await expectRefused(name, env, { code: 'FOREIGN_BOT', reason });
  });
});

describe('a program that looks for updates by itself before it launches a bot of Telegraf 4', () => {
  it('may do so, as under node', async () => {
    await using daemon = launch(sandbox, 'looks-before-launch.mjs');
    await idle(sandbox);
    sandbox.say('hello');
    await allAnswered(sandbox);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
  });
});

describe('a bot in another thread or process', () => {
  const inProcess = /starts-child\.js has started .*polled-in-child\.js in another process/;

  it.each([
    ['a worker thread', 'starts-child.js', 'thread', /has started .*polled-in-child\.js in a worker thread/],
    ['a worker thread, ES module', 'starts-child.mjs', '', /polled-in-child\.js in a worker thread/],
    ['a fork', 'starts-child.js', 'fork', inProcess],
    ['a fork that is started again at its end', 'starts-child.js', 'fork again', inProcess],
    ['a spawned process', 'starts-child.js', 'spawn', inProcess],
    ['a shell', 'starts-child.js', 'shell', inProcess],
    ['a cluster', 'starts-child.js', 'cluster', /has started itself in another process/],
    [
      'a cluster whose first process could launch one',
      'starts-child.js',
      'cluster with telegraf',
      /itself in another process/,
    ],
  ])('is refused, and the file to run is named: %s', async (_, name, as, reason) => {
    await expectRefused(name, { AS: as }, { code: 'BOT_ELSEWHERE', reason });
  });

  it('is refused where it polls by fetch', async () => {
    await expectRefused(
      'starts-child.js',
      { AS: 'fork', BY: 'fetch' },
      { code: 'BOT_ELSEWHERE', reason: inProcess },
    );
  });

  it.each([
    ['lastcall', undefined],
    ['node', fixture('bots', 'bots-here-and-there.js')],
  ])('beside one that the program launches itself: both are polled (%s)', async (_, file) => {
    const there = sandbox.bot(newToken('a-bot-in-a-process-of-its-own'));
    const program = fixture('bots', 'bots-here-and-there.js');
    await using daemon = runProgram(sandbox, program, {
      env: { CHILD_TOKEN: there.token, STOP_TIMEOUT: '2s' },
      detached: true,
      ...(file !== undefined && { file, args: [] }),
    });
    await idle(sandbox);
    await idle(sandbox, there);
    sandbox.say('hello');
    there.say('hello');
    await sandbox.waitFor(() => sandbox.unanswered === 0 && there.unanswered === 0);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});
