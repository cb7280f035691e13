import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Context, session, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { SignalHost } from '../src/embed.js';
import {
  type App,
  type AppEvent,
  type AppLog,
  createApp as createAppAnywhere,
  type Hook,
  handleSignals,
} from '../src/index.js';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.js';
import { Folder } from './support/folder.js';
import { AtWork, update } from './support/inbox-folder.js';
import { freePort, get, Samples } from './support/metrics.js';

let sandbox: Sandbox;
let state: Folder;
beforeEach(async () => {
  // The tests themselves may run in a container.
  process.env['container'] = 'none';
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

function newBot<C extends Context = Context>(options: Partial<Telegraf.Options<C>> = {}): Telegraf<C> {
  return new Telegraf<C>(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot }, ...options });
}

/** Runs the app for as long as `during` takes, and stops it. */
async function runDuring(app: App, during: () => Promise<unknown>) {
  const run = app.run();
  try {
    await during();
  } finally {
    void app.lifecycle.stop();
  }
  return run;
}

/** A log of the least kind, with what it was told. */
function memoryLog() {
  const lines: { level: string; fields: Record<string, unknown>; message: string | undefined }[] = [];
  const write = (level: string) => (fields: object, message?: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  const log: AppLog = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: (level) => level !== 'debug',
  };
  return { log, lines };
}

describe('createApp', () => {
  it('tells of updates in a journal that its inbox leaves unhandled', async () => {
    const { log, lines } = memoryLog();
    const bot = `${sandbox.token.split(':')[0]}`;
    const earlier = await AtWork.begin({ stateDir: state.path, bot });
    await earlier.accept(update(1, 1), update(2, 2));
    await earlier.end();
    const isTold = () => lines.some(({ fields }) => fields['event'] === 'journal.unused');
    await runDuring(createApp({ bot: newBot(), log, settings: { inbox: 'memory' } }), async () => {
      for (let turns = 0; turns < 10_000 && !isTold(); turns++) await nextTurn();
    });
    const told = lines.find(({ fields }) => fields['event'] === 'journal.unused');
    expect(told).toMatchObject({ level: 'warn', fields: { inbox: 'memory', updates: 2, dead: 0 } });
  });

  it('takes a bot with a context type of its own, and its middleware', async () => {
    interface Session {
      count: number;
    }
    class MyContext extends Context<Update> {
      session: Session = { count: 0 };
      shout(text: string) {
        return this.reply(text.toUpperCase());
      }
    }
    const bot = newBot<MyContext>({ contextType: MyContext });
    bot.use(session({ defaultSession: (): Session => ({ count: 0 }) }));
    bot.on('text', (ctx) => ctx.shout(`hello ${++ctx.session.count}`));
    const outcome = await runDuring(createApp({ bot }), async () => {
      await sandbox.ask('first');
      expect((await sandbox.ask('second')).answers).toMatchObject([{ text: 'HELLO 2' }]);
    });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0 });
  });

  it('does nothing before run(): calls nobody, claims nothing', async () => {
    const bot = newBot();
    createApp({ bot, hooks: [{ name: 'loud', start: () => expect(true).toBe(false) }] });
    bot.on('text', (ctx) => ctx.reply('here'));
    expect(sandbox.calls()).toEqual([]);
    expect(await runDuring(createApp({ bot }), () => sandbox.ask('anybody?'))).toMatchObject({ clean: true });
  });

  it('goes by the settings given, and by the defaults for the others', async () => {
    const settings = { allowedUpdates: ['message'], pollTimeoutMs: 7_000, stopTimeoutMs: 5_000 };
    const { log, lines } = memoryLog();
    await runDuring(createApp({ bot: newBot(), settings, log }), () =>
      sandbox.waitFor(() => sandbox.state().waitingPolls === 1),
    );
    const polls = sandbox.calls({ method: 'getUpdates' });
    expect(polls.at(-1)?.parameters).toMatchObject({ timeout: 7, allowed_updates: ['message'] });
    const stopping = lines.find(({ fields }) => fields['event'] === 'lifecycle.stopping');
    expect(stopping?.fields).toMatchObject({ budgetMs: 5_000 });
  });

  it('serves metrics and health checks while it runs, and no longer', async () => {
    const port = await freePort();
    const settings = { metrics: `127.0.0.1:${port}` };
    for (let run = 1; run <= 2; run++) {
      const bot = newBot();
      bot.on('text', (ctx) => ctx.reply('here'));
      const outcome = await runDuring(createApp({ bot, settings }), async () => {
        await sandbox.ask(`anybody ${run}?`);
        const { body } = await get(settings.metrics, '/metrics');
        expect(new Samples(body).of('lastcall_updates_total', { result: 'handled' })).toBe(1);
        expect(await get(settings.metrics, '/readyz')).toMatchObject({ status: 200 });
        expect(await get(settings.metrics, '/livez')).toMatchObject({ status: 200, body: 'alive\n' });
      });
      expect(outcome).toMatchObject({ clean: true, exitCode: 0 });
      await expect(get(settings.metrics, '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
  });

  it('goes by the order that it is given', async () => {
    const bot = newBot();
    const quick = new Promise<void>((resolve) => {
      bot.hears('quick', () => resolve());
    });
    // It ends once the one behind it has begun.
    bot.hears('slow', () => quick);
    const orderKey = ({ update_id: id }: Update) => `${id}`;
    const outcome = await runDuring(createApp({ bot, orderKey }), async () => {
      for (const text of ['slow', 'quick']) sandbox.say({ chat: 7, text });
      await quick;
    });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0 });
  });

  it('refuses settings that make no sense, all at once', () => {
    expect(() => createApp({ bot: newBot(), settings: { concurrency: 0, pollTimeoutMs: 60_000 } })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', culprit: 'pollTimeoutMs, concurrency' }),
    );
  });

  it('logs to the log given, the receipt last, and never the token', async () => {
    const bot = newBot();
    bot.on('text', () => {
      throw new Error(`what a shame, ${sandbox.token}`);
    });
    const { log, lines } = memoryLog();
    const hooks: Hook[] = [{ name: 'database', start: ({ log }) => log.info({ rows: 3 }, 'opened') }];
    await runDuring(createApp({ bot, log, hooks }), async () => {
      sandbox.say('oh');
      while (!lines.some(({ fields }) => fields['event'] === 'handler.failed')) await nextTurn();
    });
    const failed = lines.find(({ fields }) => fields['event'] === 'handler.failed');
    expect(failed).toMatchObject({
      level: 'error',
      fields: { bot: sandbox.id, kind: 'message', err: { message: `what a shame, ${sandbox.id}:***` } },
    });
    expect(lines).toContainEqual({ level: 'info', fields: { rows: 3 }, message: 'opened' });
    expect(lines.at(-1)?.fields).toMatchObject({
      event: 'lifecycle.stopped',
      outcome: 'clean',
      counts: { fetched: 1, failed: 1 },
    });
    expect(JSON.stringify(lines)).not.toContain(sandbox.token.split(':')[1]);
  });

  it.each<[string, () => unknown]>([
    ['nothing', () => {}],
    [
      'an error',
      () => {
        throw new Error('no listener');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('no listener'))],
  ])('tells of each event, also without a log, and whatever comes of that (%s)', async (_, answer) => {
    const bot = newBot();
    bot.on('text', () => {
      throw new RangeError(`what a shame, ${sandbox.token}`);
    });
    const events: AppEvent[] = [];
    const onEvent = (event: AppEvent) => {
      events.push(event);
      return answer();
    };
    const outcome = await runDuring(createApp({ bot, onEvent }), async () => {
      sandbox.say('oh');
      while (!events.some(({ event }) => event === 'handler.failed')) await nextTurn();
    });
    expect(outcome).toMatchObject({ clean: true, exitCode: 0 });
    const names = events.map(({ event }) => event);
    expect(names[0]).toBe('lifecycle.starting');
    expect(names).toContain('poll.answered');
    expect(events.find(({ event }) => event === 'handler.failed')).toMatchObject({
      level: 'error',
      message: expect.stringContaining(`what a shame, ${sandbox.id}:***`),
      bot: sandbox.id,
      fields: { kind: 'message', err: expect.objectContaining({ name: 'RangeError' }) },
    });
    expect(events.at(-1)).toMatchObject({ event: 'lifecycle.stopped', fields: { outcome: 'clean' } });
  });

  it('keeps away from the supervisor of the program, unless asked', async () => {
    const { log, lines } = memoryLog();
    const budgets = () => lines.filter(({ fields }) => fields['event'] === 'lifecycle.budget');
    process.env['pm_id'] = '0';
    try {
      for (const supervisor of [false, true])
        await runDuring(createApp({ bot: newBot(), log, supervisor }), async () => {
          while (budgets().length < (supervisor ? 2 : 1)) await nextTurn();
        });
    } finally {
      delete process.env['pm_id'];
    }
    expect(budgets().map(({ fields }) => fields['budgetMs'])).toEqual([90_000, 1_200]);
  });
});

/** The part of a process that signals concern. */
class FakeHost extends EventEmitter implements SignalHost {
  readonly exits: number[] = [];
  exit(exitCode: number): void {
    this.exits.push(exitCode);
  }
}

describe('handleSignals', () => {
  it('leaves the process alone as long as it is not called', async () => {
    const before = process.eventNames();
    await runDuring(createApp({ bot: newBot() }), async () => {
      expect(process.eventNames()).toEqual(before);
    });
    expect(process.eventNames()).toEqual(before);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops the app at %s, and takes its hands off the process when it has stopped',
    async (signal) => {
      const host = new FakeHost();
      const app = createApp({ bot: newBot() });
      handleSignals(app, host);
      const run = app.run();
      await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
      host.emit(signal);
      const outcome = await run;
      expect(outcome).toMatchObject({ clean: true, exitCode: 0, reason: { kind: 'signal', signal } });
      expect(host.eventNames()).toEqual([]);
      expect(host.exits).toEqual([]);
    },
  );

  it('hastens the stop at the second, which SIGHUP is not', async () => {
    const host = new FakeHost();
    const { log, lines } = memoryLog();
    const bot = newBot();
    const aborted = new Promise<void>((resolve) => {
      bot.on('text', (ctx) => {
        const signal: unknown = Reflect.get(ctx, 'signal');
        if (signal instanceof AbortSignal) signal.addEventListener('abort', () => resolve());
        for (const each of ['SIGTERM', 'SIGHUP', 'SIGINT']) host.emit(each);
        return new Promise(() => {});
      });
    });
    const app = createApp({ bot, log });
    handleSignals(app, host);
    const run = app.run();
    sandbox.say('begin');
    await aborted;
    expect(await run).toMatchObject({ clean: false, exitCode: 1, reason: { signal: 'SIGTERM' } });
    expect(lines.map(({ fields }) => fields['event'])).toContain('lifecycle.hastened');
    expect(host.exits).toEqual([]);
  });

  it('stops what has not been started yet', async () => {
    const host = new FakeHost();
    const app = createApp({ bot: newBot() });
    handleSignals(app, host);
    host.emit('SIGTERM');
    expect(await app.run()).toMatchObject({
      clean: true,
      exitCode: 0,
      reason: { kind: 'signal' },
      phases: [],
    });
    expect(sandbox.calls()).toEqual([]);
    expect(host.eventNames()).toEqual([]);
  });
});
