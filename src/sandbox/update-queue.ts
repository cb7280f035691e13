/**
 * One bot's unconfirmed updates, as Telegram's server keeps them: numbered, forgotten by offset, gone after a while.
 */
import type { Clock } from '../clock.js';

/** An offset further beyond the next id than this is not believed, nor one further before it than the other. */
const FUTURE_TOLERANCE = 10;
const PAST_TOLERANCE = 2_000_000;
/** An answer is ended early rather than let grow beyond this. */
const LARGEST_ANSWER_BYTES = 1 << 22;
const OVERHEAD_BYTES = 50;

interface Waiting {
  readonly id: number;
  readonly json: string;
  readonly bytes: number;
  readonly expiresAt: number;
}

export class UpdateQueue {
  readonly #clock: Clock;
  /** In order of id. What lies before `#first` is forgotten and cut off now and then. */
  #waiting: Waiting[] = [];
  #first = 0;
  #nextId: number;
  #soonestExpiry = Number.POSITIVE_INFINITY;

  constructor({ clock, nextId }: { clock: Clock; nextId: number }) {
    this.#clock = clock;
    this.#nextId = nextId;
  }

  /** How many updates wait. */
  get size(): number {
    this.#dropExpired();
    return this.#waiting.length - this.#first;
  }

  /** The id the next update gets. */
  get nextId(): number {
    return this.#nextId;
  }

  /** The id of the oldest update that waits, or the next id. */
  get headId(): number {
    return this.#waiting[this.#first]?.id ?? this.#nextId;
  }

  /** Queues an update given without its id; returns the id. */
  push(content: object, keptMs: number): number {
    const id = this.#nextId++;
    const expiresAt = this.#clock.now() + keptMs;
    this.#soonestExpiry = Math.min(this.#soonestExpiry, expiresAt);
    const json = `{"update_id":${id},${JSON.stringify(content).slice(1)}`;
    this.#waiting.push({ id, json, bytes: Buffer.byteLength(json), expiresAt });
    return id;
  }

  /**
   * Sets the next id. As with Telegram, ids fall only when nothing waits (a queue unused for a week begins anew).
   * @throws RangeError for an id at or below one that waits.
   */
  jump(nextId: number): void {
    if (this.size > 0 && nextId < this.#nextId)
      throw new RangeError(
        `ids cannot fall to ${nextId} while updates wait (next id ${this.#nextId}): confirm or drop them first`,
      );
    this.#nextId = nextId;
  }

  /** Where a read with `offset` (0: from the oldest; -n: the last n) begins, as a positive offset. */
  resolve(offset: number): number {
    if (offset > 0) return offset;
    return offset === 0 ? this.headId : Math.max(this.headId, this.#nextId + offset);
  }

  /** Whether a positive offset is believed; the queue is read from its head where it is not. */
  believes(offset: number): boolean {
    return offset <= this.#nextId + FUTURE_TOLERANCE && offset >= this.#nextId - PAST_TOLERANCE;
  }

  /** Forgets every update below `offset`, for good, and reads up to `limit` of the others, as JSON texts. */
  read(offset: number, limit: number): readonly string[] {
    const from = this.resolve(offset);
    if (this.believes(from)) this.#forgetBelow(from);
    this.#dropExpired();

    const texts: string[] = [];
    let bytesLeft = LARGEST_ANSWER_BYTES;
    const end = Math.min(this.#waiting.length, this.#first + limit);
    for (const { json, bytes } of this.#waiting.slice(this.#first, end)) {
      bytesLeft -= bytes + OVERHEAD_BYTES;
      if (bytesLeft <= 0) break;
      texts.push(json);
    }
    return texts;
  }

  /** Forgets all that waits; ids go on. Returns how many there were. */
  clear(): number {
    const { size } = this;
    this.#replace([]);
    return size;
  }

  #forgetBelow(offset: number): void {
    let first = this.#first;
    for (let next = this.#waiting[first]; next && next.id < offset; next = this.#waiting[first]) first++;
    this.#first = first;
    if (first > 1_000 && first * 2 > this.#waiting.length) this.#replace(this.#waiting.slice(first));
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    if (this.#soonestExpiry >= now) return;
    this.#replace(this.#waiting.slice(this.#first).filter(({ expiresAt }) => expiresAt >= now));
  }

  #replace(waiting: Waiting[]): void {
    this.#waiting = waiting;
    this.#first = 0;
    this.#soonestExpiry = waiting.reduce(
      (soonest, { expiresAt }) => Math.min(soonest, expiresAt),
      Number.POSITIVE_INFINITY,
    );
  }
}
