/** An update that the database has given to this process, on its way to its handler. */
import { parseJson } from '../../json.js';
import type { AttemptHistory } from '../attempt-history.js';
import { type OrderKey, type Seq, type UpdateId, updateId } from '../ids.js';
import type { Entry, Retry } from '../inbox.js';

/** What the database knows of an update. Its history is that of the attempts which have ended. */
export interface StoredUpdate extends AttemptHistory {
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly group: string | undefined;
  readonly kind: string;
  /** The update as it came, in JSON. */
  readonly content: string;
  readonly acceptedAtMs: number;
  /** How long it has to wait from now on, because it was put back. */
  readonly delayMs: number;
}

export class Item<U> implements Entry<U> {
  /** The process that has it, by its number in the database. */
  readonly host: number;
  readonly stored: StoredUpdate;
  readonly update: U;
  readonly #restore: (content: unknown) => U;

  constructor(stored: StoredUpdate, host: number, restore: (content: unknown) => U) {
    this.stored = stored;
    this.host = host;
    this.#restore = restore;
    this.update = restore(parseJson(stored.content));
  }

  get seq(): Seq {
    return this.stored.seq;
  }

  get updateId(): UpdateId {
    return updateId(this.stored.updateId);
  }

  get key(): OrderKey {
    return this.stored.key;
  }

  get group(): string | undefined {
    return this.stored.group;
  }

  get kind(): string {
    return this.stored.kind;
  }

  get attempt(): number {
    return this.stored.attempts + 1;
  }

  get putBacks(): number {
    return this.stored.putBacks;
  }

  get retries(): number {
    return this.stored.retries;
  }

  get acceptedAtMs(): number {
    return this.stored.acceptedAtMs;
  }

  /** The update as it came, since its handler may have changed it, to be tried once more. */
  again({ delayMs, isRetry }: Retry): Item<U> {
    const { attempts, putBacks, retries } = this.stored;
    const history = { attempts: attempts + 1, putBacks: putBacks + 1, retries: retries + (isRetry ? 1 : 0) };
    return new Item({ ...this.stored, ...history, delayMs, deaths: 0, cuts: 0 }, this.host, this.#restore);
  }
}
