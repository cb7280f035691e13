/**
 * Writes what has become of updates, which updates are at work, and which lanes go back: all that has come together since
 * the last time, in one statement. What fails because the database is away is written again until it is known to be there.
 */
import type { Clock } from '../../clock.js';
import type { Seq, UpdateId } from '../ids.js';
import { type Change, type ChangeSet, valuesOf } from './changes.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import type { Item } from './item.js';
import type { Reserve, ReturnedLane } from './reserve.js';
import { change } from './statements/changes.js';

export interface WriterOptions<U> {
  readonly database: Pick<Database, 'work'>;
  readonly clock: Clock;
  reserve(): Reserve<U>;
  /** The number of this process in the database; undefined while it has none. */
  host(): number | undefined;
  isDraining(): boolean;
  /** The process with this number has been taken for dead: what was written has no effect. */
  lost(host: number): void;
  /** Lanes have gone back of which something is left to do. */
  freed(): void;
  failed(error: unknown): void;
}

/** What ends within this time is written together. */
const GATHER_MS = 5;

const PAUSE_MS = 200;

interface Pending {
  readonly updateId: UpdateId;
  readonly change: Change;
}

export class Writer<U> {
  readonly #options: WriterOptions<U>;
  #pending = new Map<Seq, Pending>();
  #writing: ReadonlyMap<Seq, Pending> = new Map();
  #returning: readonly ReturnedLane[] = [];
  #hasNewMarks = false;
  #isWaiting = false;
  #isClosed = false;
  #loop: Promise<void> | undefined;
  #endGathering: () => void = () => {};

  constructor(options: WriterOptions<U>) {
    this.#options = options;
  }

  /** Ids of the updates whose change is not known to be written. */
  get unwritten(): readonly UpdateId[] {
    return [...this.#writing.values(), ...this.#pending.values()].map(({ updateId }) => updateId);
  }

  /** The lanes that go back, which is not known to be written. */
  get returning(): readonly ReturnedLane[] {
    return this.#returning;
  }

  add({ seq, updateId }: Item<U>, change: Change): void {
    this.#pending.set(seq, { updateId, change });
    this.#soon();
  }

  /** Updates have begun. */
  begun(): void {
    this.#hasNewMarks = true;
    this.#soon();
  }

  /** Something waits for its mark, or for a lane to go back. */
  hasten(): void {
    this.#hasNewMarks = true;
    this.#isWaiting = true;
    this.#soon();
    this.#endGathering();
  }

  /** Resolves when everything is written, or nothing can be, or nothing is left that only this process can write. */
  async finish(): Promise<void> {
    // Whoever frees what this process had gives back its lanes, too.
    if (this.unwritten.length === 0 && !this.#options.database.work.isConnected) return;
    this.hasten();
    await this.#loop;
  }

  /** What this process had is somebody else's now. */
  forget(): void {
    this.#pending.clear();
  }

  /** Nothing is written again from now on. */
  close(): void {
    this.#isClosed = true;
  }

  #soon(): void {
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
      if (this.#hasWork) this.#soon();
    });
  }

  get #hasWork(): boolean {
    if (this.#isClosed || this.#options.host() === undefined) return false;
    return this.#hasNewMarks || this.#pending.size > 0 || this.#options.reserve().hasReturned;
  }

  async #run(): Promise<void> {
    // Whoever has called may be amid a change.
    await Promise.resolve();
    if (!this.#isWaiting) await this.#gather();
    while (this.#hasWork) {
      const set = this.#collect();
      if (!set) return;
      await this.#write(set.changeSet, set.unmarked);
      this.#writing = new Map();
      this.#returning = [];
    }
  }

  #gather(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(GATHER_MS, resolve);
      this.#endGathering = () => {
        cancel();
        resolve();
      };
    });
  }

  #collect(): { readonly changeSet: ChangeSet; readonly unmarked: readonly Item<U>[] } | undefined {
    const host = this.#options.host();
    if (host === undefined) return undefined;
    const isDraining = this.#options.isDraining();
    const reserve = this.#options.reserve();
    const returned = reserve.takeReturned();
    const { marks, unmarked } = reserve;
    this.#writing = this.#pending;
    this.#returning = returned;
    this.#pending = new Map();
    this.#hasNewMarks = false;
    this.#isWaiting = false;
    const changes = new Map([...this.#writing].map(([seq, { change }]) => [seq, change] as const));
    return { changeSet: { host, marks, changes, returned, isDraining }, unmarked };
  }

  async #write(changeSet: ChangeSet, unmarked: readonly Item<U>[]): Promise<void> {
    const { database, clock, reserve, lost, freed, failed } = this.#options;
    const values = valuesOf(changeSet);
    const own = reserve();
    while (!this.#isClosed) {
      try {
        const [written] = await database.work.query(change, values);
        if (!written) lost(changeSet.host);
        else {
          own.marksWritten(unmarked);
          if (written.freed > 0) freed();
        }
        return;
      } catch (error) {
        if (!isAway(error)) {
          failed(error);
          return;
        }
        await clock.sleep(PAUSE_MS);
      }
    }
  }
}
