/** The unconfirmed updates of one bot. As at Telegram, they are numbered, removed by an offset, and expire. */
import type { Clock } from '../clock.js';
import { type MutableRecord, UpdateLog } from './state/update-log.js';

/** Offsets outside this range around the next id are ignored. */
const FUTURE_TOLERANCE = 10;
const PAST_TOLERANCE = 2_000_000;
/** The size at which a response is cut short, after a whole update. */
const MAX_RESPONSE_BYTES = 1 << 22;
const OVERHEAD_BYTES = 50;

interface Waiting {
  readonly id: number;
  readonly json: string;
  readonly expiresAt: number;
  /** Its entry in the log. */
  readonly record: MutableRecord;
}

/** Who reads updates. */
export interface Reader {
  /** The number of the `getUpdates` call; undefined for a second program's poll. */
  readonly callNumber?: number | undefined;
  /** Whether the caller still listens. */
  readonly open: boolean;
}

export interface UpdateQueueOptions {
  readonly clock: Clock;
  readonly nextId: number;
  /** Called with the id of each update that has come or gone on in its way. */
  readonly onChange?: (id: number) => void;
}

export class UpdateQueue {
  /** The way of each update. */
  readonly log: UpdateLog;
  readonly #clock: Clock;
  /** Updates in order of id. */
  #waiting: Waiting[] = [];
  #nextId: number;
  /** A time before which no update in the queue expires, in the clock's milliseconds. */
  #soonestExpiry = Number.POSITIVE_INFINITY;

  constructor({ clock, nextId, onChange }: UpdateQueueOptions) {
    this.log = new UpdateLog(clock, onChange);
    this.#clock = clock;
    this.#nextId = nextId;
  }

  /** The number of unconfirmed updates. */
  get size(): number {
    this.#dropExpired();
    return this.#waiting.length;
  }

  /** Whether the update with an id, which was in the queue, has not left it yet. */
  isWaiting(id: number): boolean {
    return id >= (this.#waiting[0]?.id ?? this.#nextId);
  }

  /** The id of the next update. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Queues an update, gives it an id, and returns the id. */
  push(content: object, retentionMs: number): number {
    const id = this.#nextId++;
    const expiresAt = this.#clock.now() + retentionMs;
    this.#soonestExpiry = Math.min(this.#soonestExpiry, expiresAt);
    const json = `{"update_id":${id},${JSON.stringify(content).slice(1)}`;
    this.#waiting.push({ id, json, expiresAt, record: this.log.add(id, content, json) });
    return id;
  }

  /**
   * Sets the next id. As with Telegram, which restarts a queue at a random id after a week without updates, a lower id is
   * only possible while the queue is empty.
   *
   * @throws RangeError for a lower id while the queue is not empty
   */
  setNextId(nextId: number): void {
    if (this.size > 0 && nextId < this.#nextId)
      throw new RangeError(
        `the next id cannot be lowered from ${this.#nextId} to ${nextId} while updates are queued: confirm or drop them first`,
      );
    this.#nextId = nextId;
  }

  /** Converts an offset to a positive one: 0 stands for the oldest update, -n for the last n updates. */
  resolve(offset: number): number {
    if (offset > 0) return offset;
    const oldest = this.#waiting[0]?.id ?? this.#nextId;
    return offset === 0 ? oldest : Math.max(oldest, this.#nextId + offset);
  }

  /** Whether a positive offset is in the plausible range. An offset outside of it is ignored. */
  isPlausible(offset: number): boolean {
    return offset <= this.#nextId + FUTURE_TOLERANCE && offset >= this.#nextId - PAST_TOLERANCE;
  }

  /** Removes all updates below the offset, and returns up to `limit` of the others as JSON texts. */
  read(offset: number, limit: number, reader: Reader = { open: true }): readonly string[] {
    const from = this.resolve(offset);
    if (this.isPlausible(from)) this.#removeBelow(from);
    this.#dropExpired();

    const texts: string[] = [];
    const read: MutableRecord[] = [];
    let bytesLeft = MAX_RESPONSE_BYTES;
    for (const { json, record } of this.#waiting.slice(0, limit)) {
      bytesLeft -= Buffer.byteLength(json) + OVERHEAD_BYTES;
      if (bytesLeft <= 0) break;
      texts.push(json);
      read.push(record);
    }
    this.log.delivered(read, reader.callNumber, reader.open);
    return texts;
  }

  /** Removes all updates, and keeps the next id. */
  clear(): void {
    this.log.left(this.#waiting.map(recordOf), 'dropped');
    this.#waiting = [];
  }

  #removeBelow(offset: number): void {
    const first = this.#waiting.findIndex(({ id }) => id >= offset);
    if (first === 0) return;
    const removed = this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
    this.log.left(removed.map(recordOf), 'confirmed', offset);
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    if (this.#soonestExpiry >= now) return;
    const expired = this.#waiting.filter(({ expiresAt }) => expiresAt < now);
    this.log.left(expired.map(recordOf), 'expired');
    this.#waiting = this.#waiting.filter(({ expiresAt }) => expiresAt >= now);
    this.#soonestExpiry = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.#waiting) this.#soonestExpiry = Math.min(this.#soonestExpiry, expiresAt);
  }
}

const recordOf = ({ record }: Waiting): MutableRecord => record;
