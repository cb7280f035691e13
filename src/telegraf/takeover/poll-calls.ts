/**
 * Has polls pass through a `callApi` that the program has replaced, so that its code around it sees them, as it would see
 * those of Telegraf. Telegraf's own `callApi`, which such code calls in the end, is given the answer of lastcall's poll.
 */
import type { Telegraf } from 'telegraf';
import type { Update } from 'telegraf/types';
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import { isObject } from '../../json.js';
import type { ApiAnswer, CallOptions, GetUpdatesParameters } from '../../polling/bot-api.js';
import type { TelegrafClass } from '../internals.js';
import { callApiOf, errorClassFor, rememberReplacement, type TelegramErrorClass } from '../known-clients.js';
import type { GetUpdates } from '../launch.js';
import type { Patches } from './patches.js';

/** The function, in the parameters of a call, that makes the poll. The copies of the parameters have it, too. */
const POLL = Symbol('lastcall.poll');

type Poll = (errorClass: TelegramErrorClass | undefined) => Promise<readonly Update[]>;
type CallApi = (...args: unknown[]) => unknown;

/** How long the program's code may take until it calls Telegraf's own `callApi`. */
const PASS_WITHIN_MS = 1_000;

/** Has the `callApi` of a copy of Telegraf answer the calls that stand for polls. */
export function answerPolls(telegrafClass: TelegrafClass, patches: Patches): void {
  const { owner, callApi } = callApiOf(telegrafClass);
  const answering = function (this: unknown, ...args: unknown[]) {
    const [, payload] = args;
    const poll: unknown = isObject(payload) && POLL in payload ? payload[POLL] : undefined;
    return isPoll(poll) ? poll(errorClassFor(callApi)) : Reflect.apply(callApi, this, args);
  };
  rememberReplacement(callApi, answering);
  patches.replace(owner, 'callApi', answering);
}

const isPoll = (value: unknown): value is Poll => typeof value === 'function';

export class PollCalls {
  readonly #clock: Clock;
  /** Those that do not call Telegraf's own in time, and perhaps make calls in a way of their own: they are left alone. */
  readonly #apart = new WeakSet<CallApi>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a poll through the bot's `callApi`, if the program has replaced it. What that returns or throws is ignored. */
  async getUpdates(
    { telegram }: Telegraf,
    parameters: GetUpdatesParameters,
    options: CallOptions,
    getUpdates: GetUpdates,
  ): Promise<ApiAnswer<readonly Update[]>> {
    const callApi = Reflect.get<object, string>(telegram, 'callApi') as CallApi;
    if (errorClassFor(callApi) || this.#apart.has(callApi)) return getUpdates(parameters, options);

    let answer: ReturnType<GetUpdates> | undefined;
    const poll = () => {
      answer ??= getUpdates(parameters, options);
      return answer;
    };
    const passed = await this.#pass(options.signal, (pass) => {
      const marked: Poll = async (errorClass) => {
        pass();
        return resultOf(await poll(), errorClass);
      };
      const payload = { ...payloadOf(parameters), [POLL]: marked };
      return Reflect.apply(callApi, telegram, ['getUpdates', payload, { signal: options.signal }]);
    });
    if (!passed) this.#apart.add(callApi);
    return poll();
  }

  /** Resolves to whether the call passes in time; to false at once if it ends before. */
  #pass(signal: AbortSignal, call: (pass: () => void) => unknown): Promise<boolean> {
    return new Promise((resolve) => {
      const cancels: (() => void)[] = [];
      const end = (isPassed: boolean) => {
        for (const cancel of cancels.splice(0)) cancel();
        resolve(isPassed);
      };
      cancels.push(this.#clock.after(PASS_WITHIN_MS, () => end(false)));
      cancels.push(onAbort(signal, () => end(true)));
      const ended = new Promise((settle) => settle(call(() => end(true))));
      ended.then(
        () => end(false),
        () => end(false),
      );
    });
  }
}

/** The parameters as Telegraf gives them to `callApi`. */
const payloadOf = ({ offset, limit, timeoutSeconds, allowedUpdates }: GetUpdatesParameters): object => ({
  timeout: timeoutSeconds,
  offset: offset ?? 0,
  limit,
  allowed_updates: allowedUpdates,
});

/** The result of an answer, or the error that Telegraf's client would throw. */
function resultOf(
  answer: ApiAnswer<readonly Update[]>,
  errorClass: TelegramErrorClass | undefined,
): readonly Update[] {
  if (answer.kind === 'ok') return answer.result;
  if (answer.kind === 'unreachable')
    throw Object.assign(new Error(`getUpdates failed, reason: ${answer.detail}`), {
      name: 'FetchError',
      type: 'system',
    });
  const { errorCode: error_code, description, retryAfterSeconds: retry_after } = answer;
  const response = {
    ok: false,
    error_code,
    description,
    ...(retry_after !== undefined && { parameters: { retry_after } }),
  };
  throw errorClass
    ? new errorClass(response, { method: 'getUpdates' })
    : Object.assign(new Error(`${error_code}: ${description}`), { code: error_code, response });
}
