/** An app inside a program of somebody else's, from `run()` to its outcome, on a Bot API of its own. */
import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { close, closeSync, constants, open, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { composeApp } from '../src/app.js';
import { completeConfig } from '../src/config/complete.js';
import { type Supervisor, unsupervised } from '../src/host/supervisor.js';
import { type AppLog, createApp as createAppAnywhere, type Hook } from '../src/index.js';
import type { Outcome } from '../src/lifecycle/outcome.js';
import { adaptLog } from '../src/logging/app-log.js';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { Folder } from './support/folder.js';
import { newToken } from './support/token.js';

/** Node's default. */
const POOL_THREADS = 4;

let sandbox: Sandbox;
let state: Folder;
beforeEach(async () => {
  state = new Folder();
  sandbox = await startSandbox();
});
afterEach(async () => {
  await sandbox.close();
  state[Symbol.dispose]();
});

/** An app that keeps its state where nobody else does. */
const createApp: typeof createAppAnywhere = ({ settings, ...options }) =>
  createAppAnywhere({ ...options, settings: { stateDir: state.path, ...settings } });

function echoBot(token = sandbox.token): Telegraf {
  const bot = new Telegraf(token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.on('text', (ctx) => ctx.reply(`echo ${ctx.message.text}`));
  return bot;
}

/** Once a poll waits at the server. */
const polling = () => sandbox.waitFor(() => sandbox.state().waitingPolls === 1);

/** Once none does: the server learns of a connection's end a moment later. */
const noPolls = () => sandbox.waitFor(() => sandbox.state().waitingPolls === 0);

/** A promise, and what resolves it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('shield', () => {
  it('lets a waiter give up after its time, while polling goes on untouched and can still be stopped cleanly', async () => {
    const app = createApp({ bot: echoBot() });
    const run = app.run();
    await polling();
    await expect(app.lifecycle.wait(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });

    expect(app.lifecycle.state).toBe('running');
    expect(sandbox.state().waitingPolls).toBe(1);
    expect(await sandbox.ask('still there?')).toMatchObject({ answers: [{ text: 'echo still there?' }] });

    const outcome = await app.lifecycle.stop();
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'request' } });
    expect(await run).toBe(outcome);
    await noPolls();
    expect(sandbox.state()).toMatchObject({ queued: 0, conflicts: 0 });
  });
});

describe('stop after', () => {
  it.each([
    ['given to run()', {}, { stopAfterMs: 200 }],
    ['of the settings', { stopAfterMs: 200 }, {}],
    [
      'given to run(), which comes before that of the settings',
      { stopAfterMs: 60_000 },
      { stopAfterMs: 200 },
    ],
  ])('ends polling by itself after the time %s, in order', async (_, settings, options) => {
    const app = createApp({ bot: echoBot(), settings });
    const outcome = await app.run(options);
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'stop-after' } });
    expect(outcome.durationMs).toBeGreaterThanOrEqual(200);
    expect(outcome.phases.map(({ hook, step }) => `${step} ${hook}`)).toEqual([
      'start lock',
      'start bot',
      'start intake',
      'stop intake',
      'stop drain',
      'stop bot',
    ]);
    expect(sandbox.callCount('getUpdates')).toBeGreaterThan(0);
    await noPolls();
  });
});

describe('whole life', () => {
  it('starts hooks in order before polling, and stops them in reverse once the handlers have ended', async () => {
    const story: string[] = [];
    const handling = gate();
    const answering = gate();
    const hook = (name: string): Hook => ({
      name,
      start: () => story.push(`${name} starts, ${sandbox.callCount('getUpdates')} polls`),
      stop: () => story.push(`${name} stops`),
    });
    const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
    bot.on('text', async (ctx) => {
      story.push('the handler begins');
      handling.open();
      await answering.opened;
      await ctx.reply(`echo ${ctx.message.text}`);
      story.push('the handler ends');
    });

    const app = createApp({ bot, hooks: [hook('database'), hook('cache')] });
    const run = app.run();
    const exchange = sandbox.ask('before the stop');
    await handling.opened;
    const stopped = app.lifecycle.stop();
    answering.open();

    expect(await stopped).toMatchObject({ clean: true, exitCode: 0 });
    expect(await run).toBe(await stopped);
    expect((await exchange).answers).toHaveLength(1);
    expect(story).toEqual([
      'database starts, 0 polls',
      'cache starts, 0 polls',
      'the handler begins',
      'the handler ends',
      'cache stops',
      'database stops',
    ]);
    expect(sandbox.state().queued).toBe(0);
  });

  it('awaits a shutdown hook that takes its time', async () => {
    const closing = gate();
    const closed = gate();
    const story: string[] = [];
    const database: Hook = {
      name: 'database',
      async stop() {
        closing.open();
        await closed.opened;
        story.push('database closed');
      },
    };
    const app = createApp({ bot: echoBot(), hooks: [database] });
    const run = app.run().then((outcome) => {
      story.push('run resolves');
      return outcome;
    });
    await polling();
    void app.lifecycle.stop();
    await closing.opened;
    await settle();
    expect(story).toEqual([]);
    closed.open();
    expect(await run).toMatchObject({ clean: true });
    expect(story).toEqual(['database closed', 'run resolves']);
  });

  it('stops what had started when a hook fails to start, and never polls', async () => {
    const story: string[] = [];
    const database: Hook = { name: 'database', start() {}, stop: () => story.push('database closed') };
    const broken: Hook = { name: 'broken', start: () => Promise.reject(new Error('no port')) };
    const outcome = await createApp({ bot: echoBot(), hooks: [database, broken] }).run();
    expect(outcome).toMatchObject({ clean: false, exitCode: 1, reason: { kind: 'start-failed' } });
    expect(story).toEqual(['database closed']);
    expect(sandbox.calls()).toEqual([]);
  });
});

describe('the wrong way made harmless', () => {
  it('ends in the same clean stop when a timeout is handed to run', async () => {
    const story: string[] = [];
    const database: Hook = { name: 'database', stop: () => story.push('database closed') };
    const signal = AbortSignal.timeout(200);
    const outcome = await createApp({ bot: echoBot(), hooks: [database] }).run({ signal });

    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'aborted' } });
    expect(outcome.reason.cause).toMatchObject({ name: 'TimeoutError' });
    expect(story).toEqual(['database closed']);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await noPolls();
  });

  it('ends at once for a signal that has aborted before, having called nobody', async () => {
    const outcome = await createApp({ bot: echoBot() }).run({ signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'aborted' }, phases: [] });
    expect(sandbox.calls()).toEqual([]);
  });

  it('makes no error of stopping what was never started, twice', async () => {
    const app = createApp({ bot: echoBot() });
    const [first, second] = await Promise.all([app.lifecycle.stop(), app.lifecycle.stop()]);
    expect(first).toMatchObject({ clean: true, exitCode: 0, phases: [] });
    expect(second).toBe(first);
  });

  it('honours a stop that comes before run()', async () => {
    const app = createApp({ bot: echoBot() });
    void app.lifecycle.stop();
    expect(await app.run()).toMatchObject({
      clean: true,
      exitCode: 0,
      reason: { kind: 'request' },
      phases: [],
    });
    expect(sandbox.calls()).toEqual([]);
  });

  it('makes no error of stopping twice, and once more when all is over', async () => {
    const app = createApp({ bot: echoBot() });
    const run = app.run();
    await polling();
    const outcomes = await Promise.all([app.lifecycle.stop(), app.lifecycle.stop(), run]);
    outcomes.push(await app.lifecycle.stop());
    for (const outcome of outcomes) expect(outcome).toBe(outcomes[0]);
    expect(outcomes[0]).toMatchObject({ clean: true, exitCode: 0 });
  });

  it('refuses a second run of the same app, and leaves the first untouched', async () => {
    const app = createApp({ bot: echoBot() });
    const run = app.run();
    await polling();
    await expect(app.run()).rejects.toMatchObject({ code: 'LIFECYCLE_USED' });
    expect((await sandbox.ask('still there?')).answers).toHaveLength(1);
    await app.lifecycle.stop();
    expect(await run).toMatchObject({ clean: true, exitCode: 0 });
  });
});

describe('the same bot', () => {
  it.each([
    ['same instance', (bot: Telegraf) => bot],
    ['same token in another instance', () => echoBot()],
  ])('is not polled twice at a time in one process: the %s', async (_, other) => {
    const bot = echoBot();
    const first = createApp({ bot });
    const run = first.run();
    await polling();

    const refused = await createApp({ bot: other(bot) }).run();
    expect(refused).toMatchObject({ clean: false, exitCode: 75, reason: { kind: 'start-failed' } });
    expect(refused.reason.cause).toMatchObject({ code: 'BOT_ALREADY_POLLED', culprit: `bot ${sandbox.id}` });

    expect(first.lifecycle.state).toBe('running');
    expect(await sandbox.ask('still there?')).toMatchObject({ answers: [{ text: 'echo still there?' }] });
    expect(sandbox.state().conflicts).toBe(0);
    await first.lifecycle.stop();
    expect(await run).toMatchObject({ clean: true, exitCode: 0 });
  });

  it('is run beside another bot', async () => {
    const other = sandbox.bot(newToken());
    const apps = [createApp({ bot: echoBot() }), createApp({ bot: echoBot(other.token) })];
    const runs = apps.map((app) => app.run());
    const [mine, others] = await Promise.all([sandbox.ask('mine'), other.ask('other')]);
    expect([mine.answers[0]?.text, others.answers[0]?.text]).toEqual(['echo mine', 'echo other']);
    for (const app of apps) void app.lifecycle.stop();
    for (const outcome of await Promise.all(runs)) expect(outcome).toMatchObject({ clean: true });
  });

  it('runs again under a new app after a stop, as often as one likes, and loses nothing in between', async () => {
    const bot = echoBot();
    for (const round of ['first', 'second', 'third']) {
      sandbox.say(`before the ${round} run`);
      const app = createApp({ bot });
      const run = app.run();
      expect((await sandbox.ask(`in the ${round} run`)).answers).toHaveLength(1);
      await app.lifecycle.stop();
      expect(await run).toMatchObject({ clean: true, exitCode: 0 });
    }
    expect(sandbox.report()).toMatchObject({ said: 6, answered: 6, answeredTwice: 0 });
    expect(sandbox.state()).toMatchObject({ queued: 0, conflicts: 0 });
  });

  it('is as it was after the run', async () => {
    const bot = echoBot();
    const before = Object.getOwnPropertyNames(bot).sort();
    const { handlerTimeout } = Reflect.get(bot, 'options');
    const app = createApp({ bot });
    const run = app.run();
    await polling();
    expect(Reflect.get(bot, 'options').handlerTimeout).toBe(Number.POSITIVE_INFINITY);
    void app.lifecycle.stop();
    await run;
    expect(Object.getOwnPropertyNames(bot).sort()).toEqual([...before, 'botInfo'].sort());
    expect(Reflect.get(bot, 'options').handlerTimeout).toBe(handlerTimeout);
  });
});

describe('a fatal end', () => {
  it('resolves run() with 78 when the token is refused, and stops the hooks', async () => {
    const story: string[] = [];
    const database: Hook = { name: 'database', stop: () => story.push('database closed') };
    sandbox.addFault({ kind: 'revoked' });
    const outcome = await createApp({ bot: echoBot(), hooks: [database] }).run();
    expect(outcome).toMatchObject({ exitCode: 78, reason: { kind: 'fatal' } });
    expect(outcome.reason.cause).toMatchObject({ code: 'TOKEN_REFUSED' });
    expect(story).toEqual(['database closed']);
    sandbox.removeFaults();
    const again = createApp({ bot: echoBot() });
    const run = again.run();
    await polling();
    void again.lifecycle.stop();
    expect(await run).toMatchObject({ clean: true, exitCode: 0 });
  });
});

/** What no log can write as it is. */
const circular: Record<string, unknown> = { amount: 7n };
circular['self'] = circular;
const hostile = new Proxy(new Error('hidden'), {
  get() {
    throw new Error('looked at');
  },
});

/** A bot that answers, except to `fail N`, where its handler rejects with the Nth of the values. */
function failingBot(failures: readonly unknown[]): Telegraf {
  const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
  bot.hears(/^fail (\d)$/, (ctx) => Promise.reject(failures[Number(ctx.match[1])]));
  bot.on('text', (ctx) => ctx.reply(`echo ${ctx.message.text}`));
  return bot;
}

/** A log that keeps what it is told, and then fails. */
function failingLog(fail: () => void) {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: object) => {
    lines.push({ ...fields });
    return fail();
  };
  const log: AppLog = { debug: write, info: write, warn: write, error: write, child: () => log };
  return { log, lines };
}

describe('a failure of the log', () => {
  const failures = [circular, 7n, hostile, Object.assign(new Error('no'), { cause: circular }), undefined];

  it.each<[string, () => unknown]>([
    ['works', () => {}],
    [
      'throws',
      () => {
        throw new Error('the log is full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('the log is full'))],
  ])('costs no update, whatever handlers reject with: a log that %s', async (_, fail) => {
    const { log, lines } = failingLog(fail);
    const settings = { concurrency: 1 };
    const first = createApp({ bot: failingBot(failures), log, settings });
    const run = first.run();
    for (const index of failures.keys()) sandbox.say(`fail ${index}`);
    expect((await sandbox.ask('hello')).answers).toMatchObject([{ text: 'echo hello' }]);
    await first.lifecycle.stop();
    expect(await run).toMatchObject({ clean: true, exitCode: 0 });
    expect(lines.filter(({ event }) => event === 'handler.failed')).toHaveLength(failures.length);
    expect(lines.at(-1)).toMatchObject({
      event: 'lifecycle.stopped',
      counts: { fetched: failures.length + 1, handled: 1, failed: failures.length, left: 0, mayRepeat: 0 },
    });

    const second = createApp({ bot: failingBot(failures), log, settings });
    const again = second.run();
    await polling();
    await second.lifecycle.stop();
    expect(await again).toMatchObject({ clean: true, exitCode: 0 });
    expect(lines.at(-1)).toMatchObject({ counts: { recovered: 0, dropped: 0 } });
  });

  it('keeps nothing from the supervisor, nor a failure of the supervisor anything from the log', async () => {
    const fail = () => {
      throw new Error('out of order');
    };
    const runWith = async (given: AppLog, supervisor: Supervisor) => {
      const log = { ...given, isLevelEnabled: () => true, child: () => given };
      const app = composeApp({
        config: completeConfig({ stateDir: state.path }, '/'),
        logging: { ...adaptLog(), log, eventLog: log },
        source: { bot: echoBot() },
        supervisor,
      });
      const run = app.run();
      await polling();
      void app.lifecycle.stop();
      expect(await run).toMatchObject({ clean: true, exitCode: 0 });
      await noPolls();
    };
    const told: string[] = [];
    const listening: Supervisor = { ...unsupervised, kind: 'pm2', ready: () => told.push('ready') };
    await runWith({ debug: fail, info: fail, warn: fail, error: fail }, listening);
    expect(told).toEqual(['ready']);

    const { log, lines } = failingLog(() => {});
    await runWith(log, { ...unsupervised, kind: 'pm2', ready: fail, status: fail, extend: fail });
    expect(lines.map(({ event }) => event)).toEqual(expect.arrayContaining(['poll.started', 'poll.stopped']));
  });
});

describe('a disk that hangs', () => {
  it('ends the run with a fault, whatever supervises it', async () => {
    const clock = new FakeClock();
    const app = composeApp({
      config: completeConfig({ stateDir: state.path }, '/'),
      logging: adaptLog(),
      source: { bot: echoBot() },
      clock,
    });
    const run = app.run();
    await polling();
    using _pool = stuckPool();
    sandbox.say('hello');
    await noPolls();
    let outcome: Outcome | undefined;
    void run.then((ended) => {
      outcome = ended;
    });
    for (let seconds = 0; !outcome && seconds < 300; seconds++) await clock.advance(1_000);
    expect(outcome).toMatchObject({
      exitCode: 70,
      reason: { kind: 'fault', cause: { code: 'RUN_STALLED', culprit: 'writing to the inbox' } },
    });
  });
});

/** Keeps every thread of Node's pool busy until it is disposed of. */
function stuckPool(): Disposable {
  const pipes = Array.from({ length: POOL_THREADS }, (_, index) => join(state.path, `pipe ${index}`));
  execFileSync('mkfifo', pipes);
  // Opening a pipe waits for its other end.
  for (const pipe of pipes) open(pipe, (_, descriptor) => close(descriptor));
  return {
    [Symbol.dispose]() {
      for (const pipe of pipes) closeSync(openSync(pipe, constants.O_WRONLY));
    },
  };
}
