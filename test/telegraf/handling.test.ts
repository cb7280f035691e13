import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Context, session, Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { LastcallContext } from '../../src/telegraf/context.js';
import { type PreparedBot, prepareBot } from '../../src/telegraf/handling.js';
import { RetryLater } from '../../src/telegraf/retry-later.js';
import { exitRequest } from '../../src/telegraf/takeover/exit-request.js';
import { settle } from '../support/fake-clock.js';
import { handlerRun } from '../support/handler-run.js';
import { closeHttpApis, startHttpApi } from '../support/http-api.js';

const TOKEN = '4711:a-token-of-the-handling-tests';
const me = { id: 1, is_bot: true, username: 'tested_bot', first_name: 'Tested' } as const;

let lastUpdateId = 0;

function textUpdate(text = 'hello'): Update {
  lastUpdateId++;
  const chat = { id: 5, type: 'private', first_name: 'Ann' } as const;
  const from = { id: 5, is_bot: false, first_name: 'Ann' };
  return {
    update_id: lastUpdateId,
    message: { message_id: lastUpdateId, date: 0, chat, from, text },
  } as Update;
}

type Options = ConstructorParameters<typeof Telegraf<LastcallContext>>[1];

function newBot(options?: Options): Telegraf<LastcallContext> {
  return knowingItself(new Telegraf<LastcallContext>(TOKEN, options));
}

function knowingItself<B extends { botInfo?: unknown }>(bot: B): B {
  return Object.assign(bot, { botInfo: me });
}

const neverStopped = () => new AbortController().signal;

const handle = (prepared: PreparedBot, update = textUpdate(), signal = neverStopped(), attempt = 1) =>
  prepared.handle(update, handlerRun({ signal }), attempt);

afterEach(async () => {
  await closeHttpApis();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('what a handler is given', () => {
  it('the signal and the attempt of its own update', async () => {
    const bot = newBot();
    const seen: unknown[] = [];
    bot.on('text', (ctx) => {
      seen.push([ctx.signal, ctx.attempt]);
    });
    const prepared = prepareBot(bot);
    const signals = [neverStopped(), neverStopped()];
    await Promise.all(signals.map((signal, index) => handle(prepared, textUpdate(), signal, index + 1)));
    expect(seen).toEqual([
      [signals[0], 1],
      [signals[1], 2],
    ]);
  });

  it('a signal that is asked for only where a handler reads it or makes a call', async () => {
    const { apiRoot } = await startHttpApi();
    const bot = newBot({ telegram: { apiRoot } });
    bot.hears('reads', (ctx) => void ctx.signal.aborted);
    bot.hears('calls', (ctx) => ctx.reply('hello'));
    bot.hears('does neither', (ctx) => void ctx.attempt);
    const prepared = prepareBot(bot);
    const asked: string[] = [];
    for (const text of ['reads', 'calls', 'does neither']) {
      const { signal } = new AbortController();
      const run = {
        get signal() {
          asked.push(text);
          return signal;
        },
      };
      await prepared.handle(textUpdate(text), handlerRun(run), 1);
    }
    expect(asked).toEqual(['reads', 'calls']);
  });

  it('in properties that the program may take for itself, and that do not show', async () => {
    const bot = newBot();
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(Reflect.ownKeys(ctx), ctx.constructor, ctx.constructor.name);
      Object.assign(ctx, { signal: 'mine', attempt: 'too' });
      seen.push(ctx.signal, ctx.attempt);
    });
    await handle(prepareBot(bot));
    expect(seen).toEqual([['update', 'telegram', 'botInfo', 'state'], Context, 'Context', 'mine', 'too']);
  });

  it("the bot's own context, context type and session", async () => {
    class OwnContext extends Context {
      readonly own = true;
    }
    const bot = knowingItself(new Telegraf(TOKEN, { contextType: OwnContext }));
    Object.assign(bot.context, { database: 'the database' });
    bot.use(session());
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(ctx instanceof OwnContext && ctx.own, Reflect.get(ctx, 'database'), 'session' in ctx);
    });
    await handle(prepareBot(bot));
    expect(seen).toEqual([true, 'the database', true]);
  });

  it('through an overridden handleUpdate, also one that copies the update', async () => {
    class OwnTelegraf extends Telegraf<LastcallContext> {
      override async handleUpdate(update: Update) {
        await super.handleUpdate({ ...update });
      }
    }
    const bot = knowingItself(new OwnTelegraf(TOKEN));
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(ctx.signal, ctx.attempt);
      throw new Error('it failed');
    });
    bot.catch(() => {});
    const signal = neverStopped();
    expect(await handle(prepareBot(bot), textUpdate(), signal, 2)).toEqual({
      caught: new Error('it failed'),
    });
    expect(seen).toEqual([signal, 2]);
  });

  it("never in place of the program's own", async () => {
    class TradingContext extends Context {
      get signal() {
        return 'buy';
      }
    }
    const bot = knowingItself(new Telegraf(TOKEN, { contextType: TradingContext }));
    Object.assign(bot.context, { attempt: 'mine' });
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(ctx.signal, Reflect.get(ctx, 'attempt'));
    });
    await handle(prepareBot(bot));
    expect(seen).toEqual(['buy', 'mine']);
  });

  it('a signal that never aborts, for an update that the program handles itself', async () => {
    const bot = newBot();
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(ctx.signal.aborted, ctx.attempt);
    });
    prepareBot(bot);
    await bot.handleUpdate(textUpdate());
    expect(seen).toEqual([false, 1]);
  });
});

describe('a handler that fails', () => {
  const failing = (options?: Options) => {
    const bot = newBot(options);
    bot.use(() => {
      throw new Error('it failed');
    });
    return bot;
  };

  it('rejects, prints nothing and leaves the exit code alone', async () => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => {});
    const exitCode = process.exitCode;
    await expect(handle(prepareBot(failing()))).rejects.toThrow('it failed');
    expect(print).not.toHaveBeenCalled();
    expect(process.exitCode).toBe(exitCode);
  });

  it('is caught by a bot.catch that was registered before, and told as such', async () => {
    const caught: unknown[] = [];
    const bot = failing().catch((error, ctx) => {
      caught.push(error, ctx.attempt);
    });
    expect(await handle(prepareBot(bot))).toEqual({ caught: new Error('it failed') });
    expect(caught).toEqual([new Error('it failed'), 1]);
  });

  it('is caught by a bot.catch that is registered later', async () => {
    const bot = failing();
    const prepared = prepareBot(bot);
    bot.catch(() => {});
    expect(await handle(prepared)).toEqual({ caught: new Error('it failed') });
  });

  it('rejects with what bot.catch throws', async () => {
    const bot = failing().catch(() => {
      throw new Error('and again');
    });
    await expect(handle(prepareBot(bot))).rejects.toThrow('and again');
  });

  it('is no failure any more where its own middleware takes it', async () => {
    const bot = newBot();
    bot.use(async (_, next) => {
      await next().catch(() => {});
    });
    bot.use(() => {
      throw new Error('it failed');
    });
    expect(await handle(prepareBot(bot))).toBeUndefined();
  });

  it('by process.exit has not failed: nobody is told', async () => {
    const bot = newBot();
    bot.use(() => {
      throw exitRequest(0);
    });
    const report = jest.fn<(error: unknown) => void>();
    bot.catch(report);
    expect(await handle(prepareBot(bot))).toBeUndefined();
    expect(report).not.toHaveBeenCalled();
  });
});

describe('the failure of a handler', () => {
  it('is judged after a signal that came with it: Ctrl-C also ends a child that the handler waits for', async () => {
    const bot = newBot();
    let isStopping = false;
    bot.on('text', () => {
      // The signal is heard in the next turn.
      setImmediate(() => {
        isStopping = true;
      });
      throw new Error('the child ended with SIGINT');
    });
    const run = handlerRun(undefined, { isPutBack: () => isStopping });
    await expect(prepareBot(bot).handle(textUpdate(), run, 1)).rejects.toThrow('SIGINT');
    expect(isStopping).toBe(true);
  });
});

describe('a handler that fails for a reason that passes', () => {
  const failing = (error: unknown) => {
    const bot = newBot();
    bot.use(() => {
      throw error;
    });
    return bot;
  };
  const passes = new Error('it passes');
  const run = () => handlerRun(undefined, { isPutBack: (error) => error === passes });

  it("rejects, and bot.catch hears nothing of it; nor does Telegraf's own handler", async () => {
    const print = jest.spyOn(console, 'error').mockImplementation(() => {});
    const report = jest.fn<(error: unknown) => void>();
    await expect(prepareBot(failing(passes).catch(report)).handle(textUpdate(), run(), 1)).rejects.toBe(
      passes,
    );
    await expect(prepareBot(failing(passes)).handle(textUpdate(), run(), 1)).rejects.toBe(passes);
    expect(report).not.toHaveBeenCalled();
    expect(print).not.toHaveBeenCalled();
  });

  it('is told to bot.catch by any other error', async () => {
    const report = jest.fn<(error: unknown) => void>();
    const bot = failing(new Error('it failed')).catch(report);
    const caught = await prepareBot(bot).handle(textUpdate(), run(), 1);
    expect(caught).toEqual({ caught: new Error('it failed') });
    expect(report).toHaveBeenCalledTimes(1);
  });

  it('rejects where bot.catch asks for a later run', async () => {
    const asked = new RetryLater('30s');
    const bot = failing(new Error('it failed')).catch(() => {
      throw asked;
    });
    await expect(prepareBot(bot).handle(textUpdate(), run(), 1)).rejects.toBe(asked);
  });

  it('has failed for a reason of its own where only the reply of bot.catch fails for one that passes', async () => {
    const failed = new Error('it failed');
    const bot = failing(failed).catch(() => {
      throw passes;
    });
    const prepared = prepareBot(bot);
    const error: unknown = await prepared.handle(textUpdate(), run(), 1).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ errors: [failed, passes] });
    expect(error).toHaveProperty('message', 'it failed; then bot.catch failed: it passes');
    expect(prepared.failureOf(error)).toEqual({ kind: 'error' });
  });

  it('has ended well where the program catches the error of a call of its own to handleUpdate', async () => {
    const bot = newBot().catch(() => {});
    let calls = 0;
    bot.use(async (ctx) => {
      if (++calls === 2) throw new Error('within');
      await bot.handleUpdate(ctx.update);
    });
    expect(await prepareBot(bot).handle(textUpdate(), run(), 1)).toBeUndefined();
    expect(calls).toBe(2);
  });
});

describe('ctx.retryAfter', () => {
  it('ends the handler, and asks for a later run', async () => {
    const bot = newBot();
    const behind = jest.fn();
    bot.on('text', (ctx) => {
      ctx.retryAfter('30s');
      behind();
    });
    const prepared = prepareBot(bot);
    const error: unknown = await handle(prepared).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RetryLater);
    expect(prepared.failureOf(error)).toEqual({ kind: 'asked', delayMs: 30_000 });
    expect(behind).not.toHaveBeenCalled();
  });

  it('is there in contexts that the program has made itself, and may be taken by the program', async () => {
    const bot = newBot();
    const seen: unknown[] = [];
    bot.use((ctx) => {
      seen.push(typeof ctx.retryAfter);
      Object.assign(ctx, { retryAfter: 'mine' });
      seen.push(ctx.retryAfter);
    });
    const prepared = prepareBot(bot);
    await handle(prepared);
    await bot.middleware()(new Context(textUpdate(), bot.telegram, me as never) as never, async () => {});
    expect(seen).toEqual(['function', 'mine', 'function', 'mine']);
  });
});

describe("the bot's handlerTimeout", () => {
  it.each([
    [undefined, undefined],
    [90_000, undefined],
    [50, 50],
    [600_000, 600_000],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ])("of %p is told as the bot's own: %p", (handlerTimeout, own) => {
    const bot = newBot(handlerTimeout === undefined ? {} : { handlerTimeout });
    expect(prepareBot(bot).ownHandlerTimeoutMs).toBe(own);
  });

  it('does not apply', async () => {
    jest.useFakeTimers();
    const bot = newBot({ handlerTimeout: 50 });
    let finish = () => {};
    bot.use(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const handled = handle(prepareBot(bot));
    await jest.advanceTimersByTimeAsync(100_000);
    finish();
    expect(await handled).toBeUndefined();
  });
});

describe('restore', () => {
  it('keeps a handler that fails after it from the default error handler, which prints the update', async () => {
    const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
    const bot = newBot();
    let fail = () => {};
    bot.on('text', () => new Promise((_, reject) => (fail = () => reject(new Error('too late')))));
    const prepared = prepareBot(bot);
    const ended = handle(prepared);
    await settle();
    prepared.restore();
    fail();
    await expect(ended).resolves.toEqual({ caught: new Error('too late') });
    expect(printed).not.toHaveBeenCalled();
    expect(process.exitCode).toBeUndefined();
  });

  it('gives the bot back as it was', async () => {
    const bot = newBot({ handlerTimeout: 1234 });
    const before = { ...bot, options: { ...Reflect.get(bot, 'options') } };
    const prepared = prepareBot(bot);
    expect({ ...bot }).not.toEqual(before);
    prepared.restore();
    prepared.restore();
    expect({ ...bot }).toEqual(before);
    expect(Object.hasOwn(bot, 'middleware')).toBe(false);
  });

  it('keeps a bot.catch that came meanwhile, and lets the bot be prepared again', async () => {
    const bot = newBot();
    bot.use(() => {
      throw new Error('it failed');
    });
    const prepared = prepareBot(bot);
    bot.catch(() => {});
    prepared.restore();
    const again = prepareBot(bot);
    expect(await handle(again)).toEqual({ caught: new Error('it failed') });
  });
});
