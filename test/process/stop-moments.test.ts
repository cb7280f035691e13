/** A stop signal at every moment of a run: it ends with the right exit code, within its bound, with the receipt last. */
import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FaultRule } from '../../src/sandbox/fault-rule.js';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, median, spawnDaemon } from '../support/daemon.js';
import {
  atWork,
  expectStopped,
  expectStoppedAtOnce,
  idle,
  sayInChats,
  startBot,
  steps,
  told,
} from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const stopped = { reason: 'SIGTERM' };

describe('a stop signal before the log exists', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends with 0, or by %s itself where that came before anything could be listened for',
    async (name) => {
      const ends = new Set<unknown>();
      for (let delayMs = 0; delayMs <= 180; delayMs += 20) {
        await using daemon = startBot(sandbox, 'echo.mjs');
        await sleep(delayMs);
        const { code, signal } = await daemon.stop(name);
        ends.add(signal ?? code);
        if (signal) expect(daemon.output).toBe('');
        if (daemon.output !== '') expect(daemon.receipt).toMatchObject({ reason: name, exitCode: 0 });
      }
      expect(ends).toEqual(new Set([name, 0]));
    },
  );

  describe('while the configuration loads', () => {
    let folder: string;
    let pipe: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lastcall-pipe-'));
      pipe = join(folder, 'token');
      execFileSync('mkfifo', [pipe]);
    });
    afterEach(() => rm(folder, { recursive: true }));

    const loading = () => spawnDaemon({ env: { BOT_TOKEN_FILE: pipe, TELEGRAM_API_ROOT: sandbox.apiRoot } });

    /** Opens the pipe to write to it, which takes until somebody reads from it. */
    async function beingRead() {
      // Opened both ways a pipe waits for nobody, and lets the one who waits go on.
      const release = setTimeout(
        () => void open(pipe, constants.O_RDWR).then((both) => both.close()),
        10_000,
      );
      const end = await open(pipe, 'w');
      clearTimeout(release);
      return end;
    }

    it('ends with 0 and without a word, whether or not somebody is about to write', async () => {
      for (const held of [true, false]) {
        await using daemon = loading();
        const end = await beingRead();
        if (!held) await end.close();
        const { code, tookMs } = await daemon.stop();
        if (held) await end.close();
        expect(code).toBe(0);
        expect(tookMs).toBeLessThan(250);
        expect(daemon.output).toBe('');
      }
    });
  });
});

describe('a stop signal during the start', () => {
  it.each([
    ['the bot module loads', 'slow-load.mjs'],
    ['the bot module sets up', 'slow-setup.mjs'],
  ])('while %s', async (_, module) => {
    await using daemon = startBot(sandbox, module);
    await daemon.waitFor('fixture.busy');
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(), stopped);
    expect(steps(receipt)).toContain('stop bot: done');
    expect(sandbox.state().calls).toEqual({});
  });

  it('in a start hook: what had started is stopped, in reverse', async () => {
    await using daemon = startBot(sandbox, 'slow-start.mjs');
    await daemon.waitFor(({ event, hook }) => event === 'hook.starting' && hook === 'slow');
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(), stopped);
    expect(steps(receipt)).toEqual([
      'start bot: done',
      'start lock: done',
      'start set-up: done',
      'start before: done',
      'start slow: called-off',
      'stop before: done',
      'stop bot: done',
    ]);
  });

  it.each<[string, FaultRule]>([
    ['takes a minute', { kind: 'latency', ms: 60_000, method: 'getMe' }],
    ['never ends', { kind: 'half-open', method: 'getMe' }],
    ['is refused', { kind: 'refuse' }],
  ])('while getMe %s', async (_, fault) => {
    sandbox.addFault(fault);
    await using daemon = startBot(sandbox, 'echo.mjs');
    if (fault.kind === 'refuse') await daemon.waitFor('poll.failed');
    else await sandbox.waitFor(() => sandbox.callCount('getMe') === 1);
    expectStoppedAtOnce(daemon, await daemon.stop(), stopped);
    expect(sandbox.callCount('getUpdates')).toBe(0);
  });
});

describe('a stop signal in an idle long poll', () => {
  it('that is young: under 100 ms from the signal to the exit', async () => {
    const figures: number[] = [];
    for (let round = 0; round < 5; round++) {
      await using daemon = startBot(sandbox, 'echo.mjs');
      await idle(sandbox);
      const exit = await daemon.stop();
      expectStoppedAtOnce(daemon, exit, stopped);
      figures.push(exit.tookMs);
    }
    expect(median(figures)).toBeLessThan(100);
  });

  it('that is old: the same', async () => {
    const bots = [1, 2, 3, 4, 5].map((number) => sandbox.bot(`${number}:an-idle-bot-of-the-stop-tests`));
    const daemons = bots.map((bot) => startBot(sandbox, 'echo.mjs', { bot }));
    try {
      await Promise.all(bots.map((bot) => idle(sandbox, bot)));
      // Longer than the 3 s within which the server holds a repeated poll back.
      await sleep(3_200);
      const figures: number[] = [];
      for (const daemon of daemons) {
        const exit = await daemon.stop();
        expectStoppedAtOnce(daemon, exit, stopped);
        figures.push(exit.tookMs);
      }
      expect(median(figures)).toBeLessThan(100);
    } finally {
      await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
    }
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s', async (signal) => {
    await using daemon = startBot(sandbox, 'echo.mjs');
    await idle(sandbox);
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(signal), { reason: signal });
    expect(receipt).toMatchObject({ reasonKind: 'signal', counts: { fetched: 0, handled: 0, left: 0 } });
    expect(steps(receipt)).toEqual([
      'start bot: done',
      'start lock: done',
      'start set-up: done',
      'start intake: done',
      'stop intake: done',
      'stop drain: done',
      'stop bot: done',
    ]);
  });
});

describe('a stop signal while polling fails', () => {
  /** A bot that has answered a message, and polls again, when the fault comes. */
  async function struckBy(fault: FaultRule): Promise<Daemon> {
    const daemon = startBot(sandbox, 'echo.mjs');
    await idle(sandbox);
    await sandbox.ask('hello');
    await sandbox.waitFor(() => sandbox.state().queued === 0 && sandbox.state().waitingPolls === 1);
    sandbox.addFault(fault);
    return daemon;
  }
  // Whether it may come twice nobody can tell: the poll that would have confirmed it came to nothing.
  const counts = { fetched: 1, handled: 1, failed: 0, left: 0 };

  it.each<[string, FaultRule, string]>([
    ['in a 429 wait of 60 s', { kind: 'too-many-requests', retryAfterSeconds: 60 }, 'poll.rate-limited'],
    ['in a network backoff', { kind: 'refuse' }, 'poll.failed'],
    ['in the backoff after a 502', { kind: 'html', status: 502 }, 'poll.failed'],
    ['while another program polls', { kind: 'rival' }, 'poll.conflict'],
  ])('%s', async (_, fault, event) => {
    await using daemon = await struckBy(fault);
    await daemon.waitFor(event);
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(), stopped);
    expect(receipt['counts']).toMatchObject(counts);
  });

  it('with the network gone silent', async () => {
    await using daemon = await struckBy({ kind: 'half-open' });
    const receipt = expectStoppedAtOnce(daemon, await daemon.stop(), stopped);
    expect(receipt['counts']).toMatchObject(counts);
  });
});

describe('a stop signal with handlers running', () => {
  it('lets all 50 end, and confirms them', async () => {
    sayInChats(sandbox, 50);
    await using daemon = startBot(sandbox, 'echo.mjs', { env: { HANDLER_MS: '600', LOG_LEVEL: 'debug' } });
    await atWork(sandbox, daemon, 50);
    const receipt = expectStopped(daemon, await daemon.stop(), stopped);
    expect(told(daemon, 'drain.started')).toMatchObject([{ running: 50, waiting: 0 }]);
    expect(receipt['counts']).toMatchObject({
      fetched: 50,
      handled: 50,
      failed: 0,
      timedOut: 0,
      left: 0,
      mayRepeat: 0,
      confirmedUpTo: sandbox.state().nextUpdateId - 1,
    });
    expect(sandbox.report()).toMatchObject({ said: 50, answered: 50, answeredTwice: 0 });
    expect(sandbox.state().queued).toBe(0);
  });

  it('says which updates come again when Telegram cannot be told that they are done, and nobody remembers', async () => {
    sayInChats(sandbox, 3);
    const env = { HANDLER_MS: '300', INBOX: 'memory', LOG_LEVEL: 'debug' };
    await using daemon = startBot(sandbox, 'echo.mjs', { env });
    await daemon.waitFor(({ event, count }) => event === 'poll.answered' && count === 3);
    sandbox.addFault({ kind: 'half-open', method: 'getUpdates' });
    const receipt = expectStopped(daemon, await daemon.stop(), stopped);
    expect(told(daemon, 'poll.confirm-failed')).toHaveLength(1);
    expect(receipt['counts']).toMatchObject({ handled: 3, left: 0, mayRepeat: 3 });
    expect(sandbox.state().queued).toBe(3);
  });
});
