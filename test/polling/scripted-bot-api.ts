import type { Clock } from '../../src/clock.js';
import type {
  ApiAnswer,
  BotApi,
  CallOptions,
  GetUpdatesParameters,
  Me,
  WebhookInfo,
} from '../../src/polling/bot-api.js';

export interface TestUpdate {
  readonly update_id: number;
}

type Method = keyof BotApi<TestUpdate>;

interface Call {
  readonly method: Method;
  readonly at: number;
  readonly parameters: object;
  /** The limit of the whole call, which the script knows no stages of. */
  readonly timeoutMs: number;
}

/** What a scripted call does: answers at once, answers later, or never (so that the time limit ends it). */
type Step = ApiAnswer<unknown> | { readonly afterMs: number; readonly answer: ApiAnswer<unknown> } | 'hang';

export const ok = <T>(result: T): ApiAnswer<T> => ({ kind: 'ok', result });
export const updates = (...ids: number[]): ApiAnswer<TestUpdate[]> =>
  ok(ids.map((update_id) => ({ update_id })));
export const refused = (errorCode: number, description: string, retryAfterSeconds?: number) =>
  ({
    kind: 'refused',
    errorCode,
    description,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  }) as const;
export const unreachable = { kind: 'unreachable', why: 'network', detail: 'connect ECONNREFUSED' } as const;
export const conflict = refused(409, 'Conflict: terminated by other getUpdates request; make sure …');
export const webhookConflict = refused(
  409,
  "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
);

export const me = { id: 42, username: 'last_call_bot' };

/** A Bot API that answers from a script, method by method; without one, as an idle server does. */
export class ScriptedBotApi implements BotApi<TestUpdate> {
  readonly calls: Call[] = [];
  readonly #clock: Clock;
  readonly #scripts = new Map<Method, Step[]>();
  /** Answers a method for as long as it stands, once its script is used up. */
  readonly always = new Map<Method, Step>();
  underWay = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  script(method: Method, ...steps: Step[]): this {
    this.#scripts.set(method, [...(this.#scripts.get(method) ?? []), ...steps]);
    return this;
  }

  of(method: Method): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** The offset of each poll, in order. */
  get offsets(): (number | undefined)[] {
    return this.of('getUpdates').map(({ parameters }) => (parameters as GetUpdatesParameters).offset);
  }

  getMe(options: CallOptions) {
    return this.#call<Me>('getMe', {}, options, ok(me));
  }

  getWebhookInfo(options: CallOptions) {
    return this.#call<WebhookInfo>('getWebhookInfo', {}, options, ok({ url: '', pendingUpdateCount: 0 }));
  }

  deleteWebhook(parameters: { readonly dropPending: boolean }, options: CallOptions) {
    return this.#call<unknown>('deleteWebhook', parameters, options, ok(true));
  }

  getUpdates(parameters: GetUpdatesParameters, options: CallOptions) {
    const idle = { afterMs: parameters.timeoutSeconds * 1000, answer: updates() };
    return this.#call<TestUpdate[]>('getUpdates', parameters, options, idle);
  }

  async #call<T>(
    method: Method,
    parameters: object,
    { signal, answerWithinMs: timeoutMs }: CallOptions,
    otherwise: Step,
  ): Promise<ApiAnswer<T>> {
    signal.throwIfAborted();
    this.calls.push({ method, at: this.#clock.now(), parameters, timeoutMs });
    const step = this.#scripts.get(method)?.shift() ?? this.always.get(method) ?? otherwise;
    const { afterMs, answer } =
      step === 'hang'
        ? { afterMs: Number.POSITIVE_INFINITY, answer: unreachable }
        : 'kind' in step
          ? { afterMs: 0, answer: step }
          : step;
    this.underWay++;
    try {
      if (afterMs > 0) await this.#clock.sleep(Math.min(afterMs, timeoutMs), signal);
    } finally {
      this.underWay--;
    }
    return (
      afterMs > timeoutMs ? { kind: 'unreachable', why: 'timeout', detail: 'no answer' } : answer
    ) as ApiAnswer<T>;
  }
}
