/** What people ask a bot by a button, an inline query or a payment, and the bot's answer to it. */
import type { Clock } from '../../clock.js';
import { NewestMap } from '../newest-map.js';
import type { Payment } from './invoices.js';

export type QueryKind = 'callback_query' | 'inline_query' | 'shipping_query' | 'pre_checkout_query';

/** How long after a query its answer is taken. */
const patienceMs: Readonly<Record<QueryKind, number>> = {
  callback_query: 150_000,
  inline_query: 30_000,
  shipping_query: 150_000,
  // The documentation gives a bot ten seconds for this one.
  pre_checkout_query: 10_000,
};

/** The number of newest queries that are kept of those that are answered or too old, and at most twice as many. */
const LIMIT = 1_000;

export interface Query {
  readonly id: string;
  readonly kind: QueryKind;
  readonly updateId?: number | undefined;
  readonly chat?: number | undefined;
  readonly from?: number | undefined;
  readonly atMs: number;
  /** What is to be paid, if the query came of an invoice of the sandbox. */
  readonly payment?: Payment | undefined;
  /** The parameters of the bot's answer. */
  readonly answer?: Readonly<Record<string, unknown>>;
}

export class Queries {
  readonly #clock: Clock;
  /** However many there are: those that wait for an answer, and at times some that have become too old. */
  #waiting = new Map<string, Query>();
  /** The number of waiting queries at which those that are too old are looked for. */
  #sweepAt = LIMIT;
  /** Those that are answered or too old. */
  readonly #done = new NewestMap<string, Query>(LIMIT);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  static isKind(kind: string): kind is QueryKind {
    return kind in patienceMs;
  }

  add(query: Omit<Query, 'atMs'>): void {
    this.#waiting.set(keyOf(query), { ...query, atMs: this.#clock.now() });
    if (this.#waiting.size >= this.#sweepAt) this.#sweep();
  }

  /** Answers a query. Returns it if it was waiting: not unknown, not answered before, and not too old. */
  answer(kind: QueryKind, id: string, answer: NonNullable<Query['answer']>): Query | undefined {
    const key = keyOf({ kind, id });
    const query = this.#waiting.get(key);
    if (!query || this.#isTooOld(query)) return undefined;
    this.#waiting.delete(key);
    this.#done.set(key, { ...query, answer });
    return query;
  }

  find(kind: QueryKind, id: string): Query | undefined {
    const key = keyOf({ kind, id });
    return this.#waiting.get(key) ?? this.#done.get(key);
  }

  /** The queries, oldest first. */
  list(): readonly Query[] {
    return [...this.#done.values(), ...this.#waiting.values()].sort((one, other) => one.atMs - other.atMs);
  }

  #isTooOld({ kind, atMs }: Query): boolean {
    return this.#clock.now() > atMs + patienceMs[kind];
  }

  /** Moves those that are too old. The next time is when there are twice as many, so that a query costs little. */
  #sweep(): void {
    const waiting = new Map<string, Query>();
    for (const [key, query] of this.#waiting)
      if (this.#isTooOld(query)) this.#done.set(key, query);
      else waiting.set(key, query);
    this.#waiting = waiting;
    this.#sweepAt = Math.max(LIMIT, 2 * waiting.size);
  }
}

const keyOf = ({ kind, id }: Pick<Query, 'kind' | 'id'>): string => `${kind}/${id}`;
