/**
 * Work that no handler of a bot program waits for, and what a program does when it has nothing left to do: under lastcall
 * all of it comes to the end that it comes to under Node. Where a test says so, the same program is run by both.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { Folder } from '../support/folder.js';
import { launch } from '../support/programs.js';
import { expectStopped, expectStoppedAtOnce, idle, startBot, steps } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

/** Runs a program of the fixtures under Node alone. */
function plain(name: string, env: Readonly<Record<string, string>> = {}): Daemon {
  return spawnDaemon({
    file: fixture('bots', name),
    args: [],
    env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot, ...env },
  });
}

/** The answers that the bot has given, whenever it was. */
const answers = () => sandbox.exchanges(1).flatMap(({ answers }) => answers.map(({ text }) => text));

/** Asks for work, and stops the program as soon as it has begun. */
async function stopAmid(daemon: Daemon, command: string) {
  await idle(sandbox);
  sandbox.say({ chat: 1, text: `/${command}` });
  await daemon.prints(/^begun$/m);
  return daemon.stop();
}

/** A server that takes its time; the answer is always the same. */
async function slowServer(ms: number) {
  const server = createServer((_, response) => setTimeout(() => response.end('fetched'), ms));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('at a stop, work that no handler waits for comes to its end, as under Node:', () => {
  it.each([
    ['a broadcast with pauses', 'mail', undefined],
    ['a step before the answer', 'save', 'saved'],
    ['an answer that is to come later', 'later', 'later'],
    ['a child process', 'child', 'slept'],
    ['a request to a slow server', 'fetch', 'fetched'],
    ['a stream with pauses', 'stream', '60 lines'],
    ['a large file', 'file', '50000000 bytes'],
    ['a computation in the thread pool', 'hash', 'hashed'],
  ])('%s', async (_, command, answer) => {
    using server = await slowServer(2_000);
    const env = { SLOW_SERVER: server.url };
    for (const run of [
      () => plain('leaves-work.js', env),
      () => launch(sandbox, 'leaves-work.js', { env: { ...env, STOP_TIMEOUT: '20s' } }),
    ]) {
      const before = sandbox.callCount('sendMessage');
      await using daemon = run();
      expect(await stopAmid(daemon, command)).toMatchObject({ code: 0, signal: null });
      expect(daemon.output).toMatch(/^done$/m);
      if (answer === undefined) expect(sandbox.callCount('sendMessage') - before).toBe(20);
      else expect(answers().at(-1)).toBe(answer);
      expect(daemon.events()).not.toContain('program.left-open');
    }
  });

  it("also that of a module's handlers", async () => {
    await using daemon = startBot(sandbox, 'leaves-work.mjs', { env: { STOP_TIMEOUT: '10s' } });
    const exit = await stopAmid(daemon, 'mail');
    expectStopped(daemon, exit, { reason: 'SIGTERM', budgetMs: 10_000 });
    expect(sandbox.callCount('sendMessage')).toBe(10);
  });

  it('a large file that a listener writes', async () => {
    for (const run of [plain, (name: string) => launch(sandbox, name)]) {
      await using daemon = run('writes-at-stop.js');
      await idle(sandbox);
      expect(await daemon.stop()).toMatchObject({ code: 0 });
      expect(daemon.output).toContain('written 50000000');
    }
  });
});

describe('work that does not end in time', () => {
  it('is cut just before the budget is used up, and named; the stop was not clean', async () => {
    await using daemon = launch(sandbox, 'leaves-work.js', { env: { STOP_TIMEOUT: '1s' } });
    const receipt = expectStopped(daemon, await stopAmid(daemon, 'child'), {
      reason: 'SIGTERM',
      code: 1,
      budgetMs: 1_000,
    });
    expect(receipt).toMatchObject({ level: 'warn', outcome: 'cut', counts: { handled: 1 } });
    expect(steps(receipt).at(-1)).toBe('stop bot: failed');
    expect(await daemon.waitFor('program.left-open')).toMatchObject({
      level: 'warn',
      kinds: expect.arrayContaining(['ProcessWrap']),
    });
    expect(await daemon.waitFor('hook.failed')).toMatchObject({
      err: { code: 'WORK_CUT', nextStep: expect.stringContaining('STOP_TIMEOUT') },
    });
  });

  it('has a second after a second signal', async () => {
    await using daemon = launch(sandbox, 'leaves-work.js', { env: { STOP_TIMEOUT: '20s', SLOW_SERVER: '' } });
    await idle(sandbox);
    sandbox.say({ chat: 1, text: '/child' });
    await daemon.prints(/^begun$/m);
    daemon.kill('SIGTERM');
    await daemon.waitFor((line) => line.event === 'hook.stopped' && line['hook'] === 'drain');
    const exit = await daemon.stop('SIGINT');
    expectStopped(daemon, exit, { reason: 'SIGTERM', code: 1, budgetMs: 1_000 });
  });
});

describe('what simply stays open', () => {
  const pool = `
    exports.connect = (port) => {
      require('node:net').connect(port).write('hello');
      const lookAfterIt = () => setTimeout(() => lookAfterIt(), 1_000);
      lookAfterIt();
    };`;

  it('costs a second: a pool, whose package looks after it by timers, and schedules', async () => {
    using folder = new Folder({ 'node_modules/pool/index.js': pool });
    await using daemon = launch(sandbox, 'with-pool.js', {
      env: { STOP_TIMEOUT: '20s', POOL: folder.file('node_modules', 'pool') },
    });
    await idle(sandbox);
    const receipt = expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM', budgetMs: 1_500 });
    expect(receipt['stopDurationMs']).toBeGreaterThan(900);
    expect(await daemon.waitFor('program.left-open')).toMatchObject({
      kinds: expect.arrayContaining(['TCPServerWrap', 'TCPSocketWrap', 'Timeout']),
    });
  });
});

describe('process.exit() in the stop', () => {
  it('ends the process, and nothing behind it runs: no error is logged where there was none', async () => {
    for (const run of [plain, (name: string) => launch(sandbox, name)]) {
      await using daemon = run('exits-after-close.js');
      await idle(sandbox);
      expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
      expect(daemon.output).toMatch(/^exits with 0$/m);
      expect(daemon.output).not.toContain('Error during');
      if (daemon.events().length > 0) expect(steps(daemon.receipt).at(-1)).toBe('stop bot: done');
    }
  });

  it('after a failure ends it with 1, and the receipt says who asked for that', async () => {
    const env = { CLOSING_FAILS: '1' };
    for (const run of [
      () => plain('exits-after-close.js', env),
      () => launch(sandbox, 'exits-after-close.js', { env }),
    ]) {
      await using daemon = run();
      await idle(sandbox);
      expect(await daemon.stop()).toMatchObject({ code: 1, signal: null });
      expect(daemon.output.match(/^Error during.*$/gm)).toEqual([
        'Error during shutdown: the database does not answer',
      ]);
      if (daemon.events().length > 0)
        expect(daemon.receipt['phases']).toContainEqual(
          expect.objectContaining({ hook: 'bot', step: 'stop', result: 'failed', error: exitCode1 }),
        );
    }
  });

  it('leaves the bot to the next process at once', async () => {
    await using first = launch(sandbox, 'exits-after-close.js');
    await idle(sandbox);
    await first.stop();
    await using second = launch(sandbox, 'exits-after-close.js');
    await idle(sandbox);
    await second.stop();
    expect(second.events()).not.toContain('lock.waiting');
    expect(second.events()).not.toContain('previous-run.killed');
  });

  it('because the token is refused ends the process with 78, not by what is behind the call', async () => {
    sandbox.addFault({ kind: 'revoked', method: 'getMe' });
    {
      await using daemon = plain('aborts-behind-exit.js');
      expect(await daemon.end()).toMatchObject({ code: 1, signal: null });
    }
    sandbox.addFault({ kind: 'revoked', method: 'getMe' });
    await using daemon = launch(sandbox, 'aborts-behind-exit.js');
    expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
    expect(daemon.receipt).toMatchObject({ exitCode: 78, err: { code: 'TOKEN_REFUSED' } });
    expect(daemon.output).toMatch(/^start failed: /m);
    expect(daemon.output).not.toContain('behind exit');
  });
});

describe('beforeExit', () => {
  it.each([
    ['is emitted once when the program has nothing left to do', { SAVES: '0' }, ['beforeExit 0']],
    [
      'is emitted again when what it has begun is over, as often as that',
      { SAVES: '2' },
      ['beforeExit 0', 'saved', 'beforeExit 0', 'saved', 'beforeExit 0'],
    ],
    ['is not emitted when the program calls process.exit', { SAVES: '1', EXITS: '1' }, []],
  ])('%s', async (_, env, printed) => {
    for (const run of [
      () => plain('before-exit.js', env),
      () => launch(sandbox, 'before-exit.js', { env }),
    ]) {
      await using daemon = run();
      await idle(sandbox);
      expect(await daemon.stop()).toMatchObject({ code: 0, signal: null });
      expect(daemon.output.match(/^(listener|beforeExit \d|saved)$/gm)).toEqual(['listener', ...printed]);
    }
  });

  it('that always brings new work does not go on for ever', async () => {
    await using daemon = launch(sandbox, 'before-exit.js', { env: { SAVES: '1000' } });
    await idle(sandbox);
    expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM' });
    expect(daemon.output.match(/^beforeExit/gm)).toHaveLength(10);
  });
});

describe('what stands behind `await bot.launch()`', () => {
  it('does not run where the program has no listener for the signal', async () => {
    {
      await using daemon = plain('no-listener.js');
      await idle(sandbox);
      expect(await daemon.stop()).toMatchObject({ signal: 'SIGTERM' });
      expect(daemon.output).not.toContain('behind launch');
    }
    await using daemon = launch(sandbox, 'no-listener.js');
    await idle(sandbox);
    expectStoppedAtOnce(daemon, await daemon.stop(), { reason: 'SIGTERM' });
    expect(daemon.output).not.toContain('behind launch');
  });

  it('runs when the program itself has stopped its bot', async () => {
    await using daemon = launch(sandbox, 'no-listener.js');
    await idle(sandbox);
    sandbox.say({ chat: 1, text: '/stop' });
    // The server that it opens there keeps the program alive, as under Node.
    await daemon.waitFor('program.without-bot');
    expect(daemon.output).toContain('behind launch');
    expectStopped(daemon, await daemon.stop(), { reason: 'SIGTERM' });
  });
});

const exitCode1 = 'the program asked for exit code 1 when it was stopped';
