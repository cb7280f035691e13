/**
 * The calls the server has received, with their times and parameters; the newest only, and never a token.
 */
import type { CallParameters } from './parameters.js';

export interface Call {
  /** Which call this was, from 1. */
  readonly number: number;
  /** When its last byte had arrived, by the sandbox's clock. */
  readonly atMs: number;
  /** The bot's id: the digits before the colon of its token. */
  readonly bot: number;
  /** As the caller spelt it. */
  readonly method: string;
  readonly parameters: CallParameters;
  /** What was done to it on demand, by the fault's kind. */
  readonly fault?: string;
  /** Undefined while it waits, and for ever where nothing was sent. */
  readonly answered?: { readonly atMs: number; readonly status: number };
}

/** A call that its answer can still be added to. */
export type Recorded = { -readonly [Field in keyof Call]: Call[Field] };

export interface CallFilter {
  /** Case does not matter. */
  readonly method?: string;
  readonly bot?: number;
  /** Only calls with a `number` above this. */
  readonly since?: number;
}

export class Calls {
  readonly #limit: number;
  #recorded: Recorded[] = [];
  #total = 0;
  readonly #counts = new Map<string, { method: string; count: number }>();

  /** Keeps between `limit` and twice as many. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many calls of each method, as first spelt, a bot has made since the start. */
  counts(bot: number): Readonly<Record<string, number>> {
    const counts: [string, number][] = [];
    for (const [key, { method, count }] of this.#counts)
      if (key.startsWith(`${bot}/`)) counts.push([method, count]);
    return Object.fromEntries(counts);
  }

  /** The same of one method; case does not matter. */
  count(bot: number, method: string): number {
    return this.#counts.get(countKey(bot, method))?.count ?? 0;
  }

  record(call: Omit<Call, 'number'>): Recorded {
    const recorded = { ...call, number: ++this.#total };
    this.#recorded.push(recorded);
    if (this.#recorded.length >= this.#limit * 2) this.#recorded = this.#recorded.slice(-this.#limit);
    const key = countKey(call.bot, call.method);
    const counted = this.#counts.get(key);
    if (counted) counted.count++;
    else this.#counts.set(key, { method: call.method, count: 1 });
    return recorded;
  }

  /** Those still kept, oldest first. */
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
