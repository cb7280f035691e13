import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { Bots, type BotsOptions } from '../src/bots.js';
import { systemClock } from '../src/clock.js';
import type { LastcallError } from '../src/errors.js';
import { BotLocks } from '../src/host/bot-locks.js';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.js';
import type { Launch } from '../src/telegraf/launch.js';
import { newToken } from './support/token.js';

const OTHER_TOKEN = newToken();
const OTHER_ID = Number.parseInt(OTHER_TOKEN, 10);

let sandbox: Sandbox;
/** Those that are not dissolved yet, and how their locks are given back. */
let groups: Map<Bots, () => void>;
beforeEach(async () => {
  sandbox = await startSandbox();
  groups = new Map();
});
afterEach(async () => {
  for (const bots of groups.keys()) await dissolve(bots);
  await sandbox.close();
});

function newBots(settings: Partial<BotsOptions['settings']> = {}, keepsOthers = true) {
  const told: string[] = [];
  const errors: LastcallError[] = [];
  const stop = new AbortController();
  const locks = new BotLocks({ onLocked: 'exit', signal: stop.signal, clock: systemClock, emit: () => {} });
  const bots = new Bots({
    locks,
    history: { hasPolled: () => false, inboxOpened() {}, polled() {} },
    keepsOthers,
    settings: {
      allowedUpdates: ['message'],
      dropPending: false,
      deleteWebhook: true,
      pollTimeoutMs: 50_000,
      conflictPatienceMs: 0,
      confirmTimeoutMs: 1_000,
      order: 'chat',
      concurrency: 8,
      handlerTimeoutMs: 90_000,
      inbox: 'memory',
      stateDir: undefined,
      durability: 'power',
      maxAttempts: 3,
      retries: 0,
      deadLimit: 100_000,
      deadAgeMs: 2_592_000_000,
      inboxLimit: 1_000,
      ...settings,
    },
    clock: systemClock,
    errorText: String,
    joining: ({ telegram }) => told.push(`${telegram.token.split(':')[0]} joins`),
    emit: ({ event }, botId) => told.push(`${botId} ${event}`),
    failed: (error) => errors.push(error),
    emptied: (by) => told.push(`emptied: ${by}`),
  });
  groups.set(bots, () => {
    stop.abort();
    locks.release();
  });
  return { bots, told, errors };
}

async function dissolve(bots: Bots): Promise<void> {
  bots.stopIntake();
  await bots.drain(new AbortController().signal, () => 'stop');
  close(bots);
}

function close(bots: Bots): void {
  bots.close();
  groups.get(bots)?.();
  groups.delete(bots);
}

function newBot(token = sandbox.token, apiRoot = sandbox.apiRoot): Telegraf {
  const bot = new Telegraf(token, { telegram: { apiRoot } });
  bot.on('text', (ctx) => ctx.reply(`echo ${ctx.message.text}`));
  return bot;
}

function launchOf(bot: Telegraf, wishes: Partial<Launch> = {}) {
  const ends: unknown[] = [];
  const launched: Launch = {
    bot,
    allowedUpdates: undefined,
    dropPendingUpdates: false,
    isByProgram: true,
    connected: (me) => {
      bot.botInfo = me;
    },
    ended: (error) => ends.push(error),
    ...wishes,
  };
  return { launched, ends };
}

/** Resolves once it is so; checked in every turn. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const bothPoll = () =>
  sandbox.waitFor(() => sandbox.state().waitingPolls + sandbox.bot(OTHER_TOKEN).state().waitingPolls === 2);

describe('a bots', () => {
  it('polls nobody before poll(), and then bots that join later, too', async () => {
    const { bots, told } = newBots();
    bots.add(launchOf(newBot()).launched);
    expect(sandbox.calls()).toEqual([]);
    bots.poll();
    bots.add(launchOf(newBot(OTHER_TOKEN)).launched);
    const answers = await Promise.all([sandbox.ask('one'), sandbox.bot(OTHER_TOKEN).ask('two')]);
    expect(answers.map(({ answers: [first] }) => first?.text)).toEqual(['echo one', 'echo two']);
    expect(told.slice(0, 2)).toEqual([`${sandbox.id} joins`, `${OTHER_ID} joins`]);
    expect(told).toEqual(expect.arrayContaining([`${sandbox.id} poll.started`, `${OTHER_ID} poll.started`]));
  });

  it('asks for the kinds of updates that the bot wants, else for those of the settings', async () => {
    const { bots } = newBots();
    bots.add(launchOf(newBot(), { allowedUpdates: ['poll', 'message'] }).launched);
    bots.add(launchOf(newBot(OTHER_TOKEN)).launched);
    bots.poll();
    await bothPoll();
    expect(sandbox.state().allowedUpdates).toEqual(['poll', 'message']);
    expect(sandbox.bot(OTHER_TOKEN).state().allowedUpdates).toEqual(['message']);
  });

  it('drops what waits for a bot that wants it dropped, and for no other', async () => {
    const { bots, told } = newBots();
    sandbox.say({ text: 'old', count: 3 });
    sandbox.bot(OTHER_TOKEN).say('old, too');
    bots.add(launchOf(newBot(), { dropPendingUpdates: true }).launched);
    bots.add(launchOf(newBot(OTHER_TOKEN)).launched);
    bots.poll();
    await bothPoll();
    await Promise.all([sandbox.ask('new'), sandbox.bot(OTHER_TOKEN).ask('new')]);
    expect(sandbox.report()).toMatchObject({ said: 4, answered: 1 });
    expect(sandbox.bot(OTHER_TOKEN).report()).toMatchObject({ said: 2, answered: 2 });
    expect(told.filter((line) => line.endsWith('poll.pending-dropped'))).toEqual([
      `${sandbox.id} poll.pending-dropped`,
    ]);
  });

  it.each([
    ['ends that bot alone', true],
    ['ends the run, if the others are not to be kept', false],
  ])('tells of a bot that cannot be polled: %s', async (_, keepsOthers) => {
    const { bots, told, errors } = newBots({}, keepsOthers);
    sandbox.addFault({ kind: 'revoked', bot: sandbox.id });
    const refused = launchOf(newBot());
    const good = launchOf(newBot(OTHER_TOKEN));
    bots.add(refused.launched);
    bots.add(good.launched);
    bots.poll();
    await sandbox.bot(OTHER_TOKEN).ask('hello');
    expect(refused.ends).toMatchObject([{ code: 'TOKEN_REFUSED' }]);
    expect(errors).toEqual(keepsOthers ? [] : refused.ends);
    expect([...bots.failures]).toEqual(keepsOthers ? [[sandbox.id, refused.ends[0]]] : []);
    expect(told.includes(`${sandbox.id} bot.failed`)).toBe(keepsOthers);
    expect(good.ends).toEqual([]);
    await dissolve(bots);
    expect(good.ends).toEqual([undefined]);
    expect(bots.gauges.counts).toMatchObject({ fetched: 1, handled: 1, left: 0, confirmedUpTo: undefined });
  });

  it('ends the run when the last bot cannot be polled', async () => {
    const { bots, errors } = newBots();
    sandbox.addFault({ kind: 'revoked' });
    const [one, other] = [launchOf(newBot()), launchOf(newBot(OTHER_TOKEN))];
    for (const { launched } of [one, other]) bots.add(launched);
    bots.poll();
    await until(() => one.ends.length + other.ends.length === 2);
    expect(errors).toMatchObject([{ code: 'TOKEN_REFUSED' }]);
    expect(bots.failures.size).toBe(1);
  });

  it('stops one of its bots, keeps its counts, and takes it back once it has ended', async () => {
    const { bots, told } = newBots();
    const first = launchOf(newBot());
    bots.add(first.launched);
    bots.add(launchOf(newBot(OTHER_TOKEN)).launched);
    bots.poll();
    await Promise.all([sandbox.ask('one'), sandbox.bot(OTHER_TOKEN).ask('one')]);
    expect(bots.stop(first.launched, 'bot.stop()')).toBe(true);
    expect(first.ends).toEqual([]);
    // It has not ended: the new launch waits.
    const again = launchOf(newBot());
    bots.add(again.launched);
    await sandbox.ask('two');
    expect(first.ends).toEqual([undefined]);
    await until(() => bots.gauges.counts.handled === 3);
    expect(bots.gauges.counts).toMatchObject({ fetched: 3, handled: 3 });
    expect(bots.gauges.activity).toMatchObject({ handled: 3 });
    expect(told).not.toContain('emptied: bot.stop()');
  });

  it('tells when the program has stopped the last of its bots', async () => {
    const { bots, told } = newBots();
    const { launched } = launchOf(newBot());
    bots.add(launched);
    bots.poll();
    await sandbox.ask('one');
    bots.stop(launched, 'bot.stop()');
    await until(() => told.includes('emptied: bot.stop()'));
    expect(bots.isEmpty).toBe(true);
    expect(bots.gauges.counts).toMatchObject({ fetched: 1, handled: 1 });
    expect(bots.gauges.activity.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves it to the run to stop the only bot of a program that launches none itself', () => {
    const { bots } = newBots();
    const { launched } = launchOf(newBot(), { isByProgram: false });
    bots.add(launched);
    expect(bots.stop(launched, 'bot.stop()')).toBe(false);
  });

  it('holds nothing of the bots that have ended', async () => {
    const { bots } = newBots();
    const other = launchOf(newBot(OTHER_TOKEN));
    bots.add(other.launched);
    bots.poll();
    const ended: WeakRef<object>[] = [];
    for (let round = 0; round < 20; round++) {
      const { launched, ends } = launchOf(newBot());
      bots.add(launched);
      bots.stop(launched, 'bot.stop()');
      await until(() => ends.length === 1);
      ended.push(new WeakRef(launched));
    }
    await new Promise((resolve) => setImmediate(resolve));
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    collectGarbage();
    // The newest may still be on the stack.
    expect(ended.slice(0, -2).filter((ref) => ref.deref())).toEqual([]);
  });

  it('names the updates whose handlers had to be aborted, once all bots have drained', async () => {
    const { bots } = newBots();
    const bot = new Telegraf(sandbox.token, { telegram: { apiRoot: sandbox.apiRoot } });
    let begun = () => {};
    const running = new Promise<void>((resolve) => {
      begun = resolve;
    });
    bot.on('text', () => {
      begun();
      return new Promise(() => {});
    });
    const hung = launchOf(bot);
    const good = launchOf(newBot(OTHER_TOKEN));
    bots.add(hung.launched);
    bots.add(good.launched);
    bots.poll();
    const [id] = sandbox.say('never answered');
    await running;
    bots.stopIntake();
    await expect(bots.drain(AbortSignal.abort(), () => 'stop')).rejects.toMatchObject({
      code: 'DRAIN_OVERDUE',
      message: expect.stringContaining(`${id}`),
    });
    expect([hung.ends, good.ends]).toEqual([[undefined], [undefined]]);
    expect(bots.gauges.counts).toMatchObject({ fetched: 1, handled: 0, left: 1, mayRepeat: 1 });
    close(bots);
  });
});

describe('a bot in a bots', () => {
  it('cannot join another one until the first has given its lock back', async () => {
    const [first, second] = [newBots().bots, newBots().bots];
    first.add(launchOf(newBot()).launched);
    expect(() => second.add(launchOf(newBot()).launched)).toThrow(
      expect.objectContaining({ code: 'BOT_ALREADY_POLLED', exitCode: 75 }),
    );
    await dissolve(first);
    second.add(launchOf(newBot()).launched);
  });

  it('has no place for its inbox without a state directory, and is as it was', () => {
    const { bots } = newBots({ inbox: 'journal' });
    const bot = newBot();
    const before = Object.getOwnPropertyNames(bot);
    expect(() => bots.add(launchOf(bot).launched)).toThrow(
      expect.objectContaining({ code: 'INBOX_UNAVAILABLE', exitCode: 78, culprit: 'STATE_DIR' }),
    );
    expect(Object.getOwnPropertyNames(bot)).toEqual(before);
  });

  it('that cannot be polled is as it was, and not taken for one that is', () => {
    const { bots } = newBots();
    const bot = newBot(sandbox.token, 'no URL');
    const before = Object.getOwnPropertyNames(bot);
    for (const _attempt of [1, 2]) expect(() => bots.add(launchOf(bot).launched)).toThrow('Invalid URL');
    expect(Object.getOwnPropertyNames(bot)).toEqual(before);
    expect(Reflect.get(bot, 'options').handlerTimeout).toBe(90_000);
  });
});
