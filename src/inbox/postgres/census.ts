/**
 * How much the inbox holds. A process counts on by itself what it accepts and settles; since others do so as well, it asks
 * the database now and then. While too much waits, the intake waits as well. The process that polls drops the dead letters
 * beyond the limits.
 */
import type { Clock } from '../../clock.js';
import type { InboxEvent } from '../events.js';
import { isDeadReason } from '../inbox.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import { Room } from './room.js';
import { count, type DroppedLetters, dropOldLetters, dropSurplusLetters } from './statements/counts.js';

export interface CensusOptions {
  readonly bot: string;
  readonly clock: Clock;
  /** How many updates may wait. */
  readonly limit: number;
  readonly deadLetterLimits?: { readonly number: number; readonly ageMs: number } | undefined;
  database(): Pick<Database, 'work'>;
  /** Whether this process polls. */
  polls(): boolean;
  /** How many updates of this process are at work, and of how many it is not written yet that they have settled. */
  own(): { readonly atWork: number; readonly unwritten: number };
  /** So many dead letters were dropped. */
  dropped(letters: number): void;
  failed(error: unknown): void;
  emit(event: InboxEvent): void;
}

/** How often all that waits is counted, and superfluous dead letters are dropped. */
const COUNT_EVERY_MS = 10_000;

/** How often it is looked whether a full inbox has room again. */
const ROOM_EVERY_MS = 1_000;

export class Census {
  readonly #options: CensusOptions;
  readonly #room: Room;
  #unsettled = 0;
  #dead = 0;
  #isClosed = false;
  #cancel = () => {};

  constructor(options: CensusOptions) {
    this.#options = options;
    this.#room = new Room(options);
  }

  get unsettled(): number {
    return this.#unsettled;
  }

  get dead(): number {
    return this.#dead;
  }

  /** What the database has told. */
  begin({ unsettled, dead }: { readonly unsettled: number; readonly dead: number }): void {
    this.#unsettled = unsettled;
    this.#dead = dead;
  }

  /** From now on the database is asked from time to time. */
  start(): void {
    this.#countIn(COUNT_EVERY_MS);
  }

  accepted(updates: number): void {
    this.#unsettled += updates;
  }

  settled(): void {
    this.#unsettled--;
    this.#room.check(this.#unsettled);
  }

  gaveUp(updates: number): void {
    this.#dead += updates;
  }

  /** Resolves when there is room, or nobody is to wait for it any more. */
  async whenRoom(): Promise<void> {
    if (this.#unsettled >= this.#options.limit) this.#countIn(ROOM_EVERY_MS);
    await this.#room.wait(this.#unsettled);
  }

  /** Nobody waits for room any more. */
  endWaits(): void {
    this.#room.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.endWaits();
  }

  #countIn(ms: number): void {
    this.#cancel();
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(ms, () => {
      void this.#count().finally(() => this.#countIn(this.#room.isFull ? ROOM_EVERY_MS : COUNT_EVERY_MS));
    });
  }

  async #count(): Promise<void> {
    const { bot, database, own, failed } = this.#options;
    try {
      await this.#dropLetters();
      const [counted] = await database().work.query(count, [bot]);
      if (!counted) return;
      const { atWork, unwritten } = own();
      this.#unsettled = Math.max(atWork, counted.unsettled - unwritten);
      this.#dead = counted.dead;
      this.#room.check(this.#unsettled);
    } catch (error) {
      if (!isAway(error)) failed(error);
    }
  }

  async #dropLetters(): Promise<void> {
    const { bot, database, polls, deadLetterLimits } = this.#options;
    if (!deadLetterLimits || !polls()) return;
    const { number, ageMs } = deadLetterLimits;
    this.#tellDropped('DEAD_AGE', await database().work.query(dropOldLetters, [bot, ageMs]));
    this.#tellDropped('DEAD_LIMIT', await database().work.query(dropSurplusLetters, [bot, number]));
  }

  #tellDropped(limit: 'DEAD_LIMIT' | 'DEAD_AGE', rows: readonly DroppedLetters[]): void {
    const { dropped, emit } = this.#options;
    if (rows.length === 0) return;
    const letters = rows.reduce((sum, row) => sum + row.letters, 0);
    dropped(letters);
    const why = Object.fromEntries(
      rows.flatMap((row) => (isDeadReason(row.why) ? [[row.why, row.letters] as const] : [])),
    );
    emit({ event: 'inbox.dead-dropped', letters, limit, why });
  }
}
