/** Records the calls that the server has received, with times and parameters but without tokens. */
import type { CallParameters } from './parameters.js';

export interface Call {
  /** The number of the call, counted from 1. */
  readonly number: number;
  /** When the request was complete, by the sandbox's clock. */
  readonly atMs: number;
  /** The bot's id: the digits before the colon of its token. */
  readonly bot: number;
  /** The method's name as the caller spelt it. */
  readonly method: string;
  readonly parameters: CallParameters;
  /** The kind of fault that was injected into the call. */
  readonly fault?: string;
  /** When the response was sent; absent while the call is pending, and for calls that get no response. */
  readonly answered?: {
    readonly atMs: number;
    readonly status: number;
    /** The body of the response, unless it is long. */
    readonly body?: string;
  };
}

/** A recorded call whose outcome can still be added. */
export type MutableCall = { -readonly [Field in keyof Call]: Call[Field] };

export interface CallFilter {
  /** The name of a method, in any case. */
  readonly method?: string | undefined;
  readonly bot?: number;
  /** Only calls with a `number` above this one. */
  readonly since?: number | undefined;
}

/** The longest body that is kept, in characters: long ones are those of polls, whose updates have a log of their own. */
export const MAX_BODY_LENGTH = 2_000;

export class Calls {
  readonly #limit: number;
  #recorded: MutableCall[] = [];
  #total = 0;
  readonly #counts = new Map<string, { method: string; count: number }>();

  /** Keeps between `limit` and twice as many of the newest calls. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns how often a bot has called each method, by the method's name as first spelt. */
  counts(bot: number): Readonly<Record<string, number>> {
    const counts = [...this.#counts].filter(([key]) => key.startsWith(`${bot}/`));
    return Object.fromEntries(counts.map(([, { method, count }]) => [method, count]));
  }

  /** Returns how often a bot has called a method, whose name may be in any case. */
  count(bot: number, method: string): number {
    return this.#counts.get(countKey(bot, method))?.count ?? 0;
  }

  record(call: Omit<Call, 'number'>): MutableCall {
    const recorded = { number: ++this.#total, ...call };
    this.#recorded.push(recorded);
    if (this.#recorded.length >= this.#limit * 2) this.#recorded = this.#recorded.slice(-this.#limit);
    const key = countKey(call.bot, call.method);
    const counted = this.#counts.get(key);
    if (counted) counted.count++;
    else this.#counts.set(key, { method: call.method, count: 1 });
    return recorded;
  }

  /** Returns the newest recorded call of a bot, or its newest call of a method, whose name may be in any case. */
  last(bot: number, method?: string): Call | undefined {
    const wanted = method?.toLowerCase();
    return this.#recorded.findLast(
      (call) => call.bot === bot && (wanted === undefined || call.method.toLowerCase() === wanted),
    );
  }

  /** Returns copies of the recorded calls that match, oldest first. */
  list({ method, bot, since = 0 }: CallFilter = {}): readonly Call[] {
    const wanted = method?.toLowerCase();
    return this.#recorded
      .filter(
        (call) =>
          call.number > since &&
          (bot === undefined || call.bot === bot) &&
          (wanted === undefined || call.method.toLowerCase() === wanted),
      )
      .map((call) => ({ ...call }));
  }
}

const countKey = (bot: number, method: string): string => `${bot}/${method.toLowerCase()}`;
