import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { systemClock } from '../../../src/clock.js';
import { LastcallError } from '../../../src/errors.js';
import type { Launch } from '../../../src/telegraf/launch.js';
import { Launches } from '../../../src/telegraf/takeover/launches.js';
import { Patches } from '../../../src/telegraf/takeover/patches.js';
import { PollCalls } from '../../../src/telegraf/takeover/poll-calls.js';

let patches: Patches;
beforeEach(() => {
  patches = new Patches();
});
afterEach(() => patches.undo());

const me = { id: 1, is_bot: true, username: 'bot', first_name: 'B' } as NonNullable<Telegraf['botInfo']>;

function setUp() {
  const launched: Launch[] = [];
  const stopped: [Launch, string | undefined][] = [];
  const rejected: unknown[] = [];
  const stopping = new AbortController();
  const launches = new Launches({
    stopping: stopping.signal,
    handlerScope: { run: (_, handle) => handle() },
    pollCalls: new PollCalls(systemClock),
    launched: (launch) => launched.push(launch),
    stopRequested: (launch, reason) => stopped.push([launch, reason]),
    refused() {},
    rejecting: (error) => rejected.push(error),
  });
  launches.takeOver(Telegraf, patches);
  const bot = new Telegraf('1:token');
  const last = (): Launch => {
    const launch = launched.at(-1);
    if (!launch) throw new Error('nothing is launched');
    return launch;
  };
  return { launches, launched, stopped, rejected, stopping, bot, last };
}

/** How a promise has settled so far. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol('pending');
  await new Promise((resolve) => setImmediate(resolve));
  return Promise.race([promise, pending]).then(
    (value) => (value === pending ? 'pending' : 'resolved'),
    (error: unknown) => error,
  );
}

const pollingOf = (bot: Telegraf): unknown => Reflect.get(bot, 'polling');

describe('a bot that the program stops', () => {
  it('has its launch settled when it has ended, and is launched anew by the next launch()', async () => {
    const { launched, stopped, bot, last } = setUp();
    const first = bot.launch();
    last().connected(me);
    expect(bot.stop('reload')).toBeUndefined();
    bot.stop('once more');
    expect(stopped).toEqual([[launched[0], 'reload']]);
    const second = bot.launch();
    expect(second).not.toBe(first);
    expect(launched).toHaveLength(2);
    expect(await stateOf(first)).toBe('pending');
    launched[0]?.ended();
    expect(await stateOf(first)).toBe('resolved');
    expect(await stateOf(second)).toBe('pending');
    expect(bot.launch()).toBe(second);
  });

  it('is polled for the program from the answer of getMe until the stop', () => {
    const { bot, last, stopped } = setUp();
    void bot.launch({ allowedUpdates: ['message'] });
    expect(pollingOf(bot)).toBeUndefined();
    last().connected(me);
    expect(pollingOf(bot)).toMatchObject({ telegram: bot.telegram, allowedUpdates: ['message'] });
    expect(Reflect.get(bot, 'webhookServer')).toBeUndefined();
    (pollingOf(bot) as { stop(): void }).stop();
    expect(stopped).toEqual([[last(), undefined]]);
    expect(pollingOf(bot)).toBeUndefined();
    expect(Object.hasOwn(bot, 'polling')).toBe(false);
  });
});

describe('the launch of a bot that has ended', () => {
  const error = new LastcallError('TOKEN_REFUSED', 'BOT_TOKEN', 'refused');

  it('rejects at once while the run goes on, and the bot may be launched again', async () => {
    const { launched, rejected, bot, last } = setUp();
    const launch = bot.launch();
    last().connected(me);
    launch.catch(() => {});
    last().ended(error);
    last().ended();
    expect(await stateOf(launch)).toBe(error);
    expect(rejected).toEqual([error]);
    expect(pollingOf(bot)).toBeUndefined();
    void bot.launch();
    expect(launched).toHaveLength(2);
  });

  it('rejects when the stop comes to the program, once it has begun', async () => {
    const { launches, stopping, rejected, bot, last } = setUp();
    const launch = bot.launch();
    stopping.abort();
    last().ended(error);
    expect(rejected).toEqual([]);
    launch.catch(() => {});
    expect(launches.settle(true)).toBe(true);
    expect(await stateOf(launch)).toBe(error);
  });
});
