/** Takes batches, in the turn of this process and in no other. */
import type { Clock } from '../../clock.js';
import type { InboxEvent } from '../events.js';
import { updateId } from '../ids.js';
import type { InboxOptions } from '../inbox.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import { storedKey, withoutNul } from './kept-text.js';
import { accept } from './statements/intake.js';
import { readPoller } from './statements/turns.js';
import { type HeldTurn, type Turns, writeRecent } from './turns.js';

export interface IntakeOptions<U> extends Pick<InboxOptions<U>, 'keyOf' | 'groupOf' | 'kindOf'> {
  readonly database: Pick<Database, 'events'>;
  readonly bot: string;
  readonly turns: Turns;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How long ago a time was that the system's clock has told, in milliseconds. */
  readonly ageOf: (atMs: number) => number;
  /** Whether to go on where the database is away. */
  persists(): boolean;
  emit(event: InboxEvent): void;
}

export interface Accepted {
  readonly offset: number;
  /** How many updates were new. */
  readonly updates: number;
}

const PAUSE_MS = 200;

export class Intake<U extends { readonly update_id: number }> {
  readonly #options: IntakeOptions<U>;

  constructor(options: IntakeOptions<U>) {
    this.#options = options;
  }

  /**
   * Resolves with undefined where this process must not poll any more, or does not want to: then the batch stays with
   * Telegram. Rejects with what the database refuses.
   */
  async accept(batch: readonly U[]): Promise<Accepted | undefined> {
    const { turns, now, ageOf, emit } = this.#options;
    const turn = turns.held;
    const last = batch.at(-1);
    if (!turn || !last) return undefined;
    // That another batch has come shows that Telegram has forgotten the one before.
    if (turn.offset !== undefined) turn.recent.confirm(updateId(turn.offset));
    turn.recent.expire(ageOf);
    const indexes = turn.recent.indexesOfNew(batch.map(({ update_id: id }) => updateId(id)));
    if (indexes.length < batch.length)
      emit({ event: 'inbox.repeated', updates: batch.length - indexes.length });
    const updates = indexes.flatMap((index) => batch[index] ?? []);
    turn.recent.add({ atMs: now(), ids: updates.map(({ update_id: id }) => updateId(id)) });
    const offset = last.update_id + 1;
    if (!(await this.#write(turn, updates, offset))) return undefined;
    turn.offset = offset;
    return { offset, updates: updates.length };
  }

  async #write(turn: HeldTurn, updates: readonly U[], offset: number): Promise<boolean> {
    const { database, bot, turns, clock, persists } = this.#options;
    const { epoch, batches, recent } = turn;
    const values = [bot, epoch, batches, offset, writeRecent(recent), ...this.#columnsOf(updates)];
    while (!turn.isOver) {
      try {
        const [taken] = await database.events.query(accept, values);
        const isTaken = taken ?? (await this.#wasTaken(turn));
        if (isTaken) turn.batches = batches + 1;
        else turns.lose('another process polls');
        return isTaken;
      } catch (error) {
        if (!isAway(error)) throw error;
        if (!persists()) return false;
        await clock.sleep(PAUSE_MS, turn.controller.signal).catch(() => {});
      }
    }
    return false;
  }

  /** Whether a batch was taken of which that was not known, since the answer was lost. */
  async #wasTaken({ epoch, batches }: HeldTurn): Promise<boolean> {
    const [poller] = await this.#options.database.events.query(readPoller, [this.#options.bot]);
    return poller?.epoch === epoch && poller.batches === batches + 1;
  }

  #columnsOf(updates: readonly U[]): readonly unknown[] {
    const { keyOf, groupOf, kindOf } = this.#options;
    return [
      updates.map(({ update_id: id }) => id),
      updates.map((update) => storedKey(keyOf(update))),
      updates.map((update) => {
        const group = groupOf?.(update);
        return group === undefined ? null : withoutNul(group);
      }),
      updates.map((update) => withoutNul(kindOf(update))),
      // JSON has no line breaks. A text needs no escapes, unlike the items of an array.
      updates.map((update) => JSON.stringify(update)).join('\n'),
    ];
  }
}
