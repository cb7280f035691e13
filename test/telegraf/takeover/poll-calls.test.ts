import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Telegraf, TelegramError } from 'telegraf';
import type { Update } from 'telegraf/types';
import type { ApiAnswer } from '../../../src/polling/bot-api.js';
import {
  rememberClient,
  rememberErrorClass,
  type TelegramErrorClass,
} from '../../../src/telegraf/known-clients.js';
import { Patches } from '../../../src/telegraf/takeover/patches.js';
import { answerPolls, PollCalls } from '../../../src/telegraf/takeover/poll-calls.js';
import { FakeClock, settle } from '../../support/fake-clock.js';

type CallApi = (...call: unknown[]) => Promise<unknown>;

const parameters = { offset: 7, timeoutSeconds: 50, limit: 100, allowedUpdates: ['message'] };
const batch = [{ update_id: 7 }] as unknown as Update[];
const ok: ApiAnswer<Update[]> = { kind: 'ok', result: batch };

let patches: Patches;
beforeEach(() => {
  patches = new Patches();
  rememberClient(Telegraf);
  rememberErrorClass(Telegraf, TelegramError as unknown as TelegramErrorClass);
  answerPolls(Telegraf, patches);
});
afterEach(() => patches.undo());

/** A bot whose callApi is replaced, and what makes its polls. */
function setUp(replace?: (original: CallApi) => CallApi, answer: ApiAnswer<Update[]> = ok) {
  const clock = new FakeClock();
  const calls = new PollCalls(clock);
  const bot = new Telegraf('1:token');
  const own = Reflect.get<object, string>(bot.telegram, 'callApi') as CallApi;
  const original: CallApi = (...call) => own.apply(bot.telegram, call);
  if (replace) Reflect.set(bot.telegram, 'callApi', replace(original));
  let polls = 0;
  const stop = new AbortController();
  const poll = () =>
    calls.getUpdates(bot, parameters, { signal: stop.signal, answerWithinMs: 60_000 }, async () => {
      polls++;
      return answer;
    });
  return { clock, stop, poll, polls: () => polls };
}

describe('a poll', () => {
  it('is made at once where callApi is that of Telegraf', async () => {
    const { poll, polls } = setUp();
    expect(await poll()).toBe(ok);
    expect(polls()).toBe(1);
  });

  it.each<[string, (original: CallApi) => CallApi]>([
    ['passes it on', (original) => original],
    [
      'copies the parameters',
      (original) => (method, payload, options) => original(method, { ...Object(payload) }, options),
    ],
  ])('passes once through a callApi that %s', async (_, pass) => {
    const seen: unknown[] = [];
    const { poll, polls } = setUp((original) => async (...call) => {
      const passed = pass(original)(...call);
      seen.push(call[0], JSON.parse(JSON.stringify(call[1])), await passed);
      return 'something else';
    });
    expect(await poll()).toBe(ok);
    await settle();
    expect(polls()).toBe(1);
    expect(seen).toEqual([
      'getUpdates',
      { offset: 7, timeout: 50, limit: 100, allowed_updates: ['message'] },
      batch,
    ]);
  });

  it.each<[string, ApiAnswer<Update[]>, object]>([
    [
      'refusal',
      { kind: 'refused', errorCode: 429, description: 'Too Many Requests', retryAfterSeconds: 3 },
      { constructor: TelegramError, code: 429, parameters: { retry_after: 3 } },
    ],
    [
      'failure to reach Telegram',
      { kind: 'unreachable', why: 'network', detail: 'ECONNRESET' },
      { name: 'FetchError', message: expect.stringContaining('ECONNRESET') },
    ],
  ])('shows a callApi a %s as an error', async (_, answer, expected) => {
    const errors: unknown[] = [];
    const { poll } = setUp(
      (original) =>
        (...call) =>
          original(...call).catch((error: unknown) => errors.push(error)),
      answer,
    );
    expect(await poll()).toBe(answer);
    await settle();
    expect(errors).toMatchObject([expected]);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['answers by itself', async () => []],
  ])('is made without a callApi that %s, which is not called again', async (_, replacement) => {
    let called = 0;
    const { poll, polls } = setUp(() => () => {
      called++;
      return replacement();
    });
    expect([await poll(), await poll()]).toEqual([ok, ok]);
    expect([called, polls()]).toEqual([1, 2]);
  });

  it('is made after a second without a callApi that blocks, which may call the original too late', async () => {
    let late: CallApi = async () => undefined;
    const { poll, polls, clock } = setUp((original) => (...call) => {
      late = () => original(...call);
      return new Promise(() => {});
    });
    const answer = poll();
    await clock.advance(999);
    expect(polls()).toBe(0);
    await clock.advance(1);
    expect(await answer).toBe(ok);
    expect(await late()).toBe(batch);
    expect(polls()).toBe(1);
  });
});
