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

/** The number of newest queries that are kept, and at most twice as many. */
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
  readonly #queries = new NewestMap<string, Query>(LIMIT);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  static isKind(kind: string): kind is QueryKind {
    return kind in patienceMs;
  }

  add(query: Omit<Query, 'atMs'>): void {
    this.#queries.set(keyOf(query), { ...query, atMs: this.#clock.now() });
  }

  /** Answers a query. Returns it if it was waiting: not unknown, not answered before, and not too old. */
  answer(kind: QueryKind, id: string, answer: NonNullable<Query['answer']>): Query | undefined {
    const query = this.#queries.get(keyOf({ kind, id }));
    if (!query || query.answer || this.#clock.now() > query.atMs + patienceMs[kind]) return undefined;
    this.#queries.set(keyOf(query), { ...query, answer });
    return query;
  }

  find(kind: QueryKind, id: string): Query | undefined {
    return this.#queries.get(keyOf({ kind, id }));
  }

  list(): readonly Query[] {
    return this.#queries.values();
  }
}

const keyOf = ({ kind, id }: Pick<Query, 'kind' | 'id'>): string => `${kind}/${id}`;
