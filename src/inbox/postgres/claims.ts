/**
 * Asks the database for lanes, and for what has come for those that are here. A host asks for few at once, so that all of
 * them get some of what comes: one whose handlers keep its event loop busy asks less often.
 */
import type { Clock } from '../../clock.js';
import { orderKey, seq, updateId } from '../ids.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import { Item } from './item.js';
import { type GivenLane, type Reserve, UPDATES_OF_LANE } from './reserve.js';
import { type ClaimedRow, claim } from './statements.js';

export interface ClaimsOptions<U> {
  readonly database: Pick<Database, 'work'>;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Makes an update of its JSON. */
  restore(content: unknown): U;
  reserve(): Reserve<U>;
  /** The number of this process in the database, while it may begin updates. */
  host(): number | undefined;
  /** Something has come. */
  given(): void;
  failed(error: unknown): void;
}

/** How many lanes wait here for a free handler, at most. */
const IDLE_LANES = 32;

const PAUSE_MS = 200;

export class Claims<U> {
  readonly #options: ClaimsOptions<U>;
  /** Whether the database may have lanes that nobody has. */
  #mayFindLanes = true;
  #isWanted = false;
  #loop: Promise<void> | undefined;

  constructor(options: ClaimsOptions<U>) {
    this.#options = options;
  }

  /** There may be something that was not there before. */
  wake(): void {
    this.#mayFindLanes = true;
    this.#ask();
  }

  /** Goes on where that was not possible for a while. */
  resume(): void {
    if (this.#isWanted) this.#ask();
  }

  /** Something of the reserve has begun. */
  noticeTaken(): void {
    if (this.#mayFindLanes && this.#options.reserve().idleLanes < IDLE_LANES / 2) this.#ask();
  }

  /** Resolves when nothing is asked any more. */
  async settled(): Promise<void> {
    await this.#loop;
  }

  #ask(): void {
    this.#isWanted = true;
    if (this.#options.host() === undefined) return;
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
      this.resume();
    });
  }

  async #run(): Promise<void> {
    const { database, clock, reserve, host, given, failed } = this.#options;
    for (let own = host(); own !== undefined && this.#isWanted; own = host()) {
      this.#isWanted = false;
      const into = reserve();
      const most = Math.max(0, IDLE_LANES - into.idleLanes);
      try {
        const rows = await database.work.query(claim, [own, most, into.noteFullLanes(), UPDATES_OF_LANE]);
        // A process that was taken for dead meanwhile has nothing.
        if (into !== reserve()) continue;
        const lanes = this.#lanesOf(rows, own);
        for (const lane of lanes) into.add(lane);
        this.#mayFindLanes = most === 0 || lanes.length >= most;
        if (rows.some(({ hasMore }) => hasMore)) this.#isWanted = true;
        if (lanes.length > 0) given();
      } catch (error) {
        if (!isAway(error)) {
          failed(error);
          return;
        }
        this.#isWanted = true;
        await clock.sleep(PAUSE_MS);
      }
    }
  }

  #lanesOf(rows: readonly ClaimedRow[], host: number): readonly GivenLane<U>[] {
    const { now, restore } = this.#options;
    const lanes = new Map<string, GivenLane<U> & { readonly items: Item<U>[] }>();
    for (const { key: text, given, isDoubtful, update } of rows) {
      const key = orderKey(text);
      const lane = lanes.get(key) ?? { key, given: seq(given), isDoubtful, items: [] };
      lanes.set(key, lane);
      if (!update) continue;
      const { album, ageMs, delayMs = 0, ...rest } = update;
      const stored = {
        ...rest,
        key,
        seq: seq(update.seq),
        updateId: updateId(update.updateId),
        group: album,
        acceptedAtMs: now() - ageMs,
        delayMs,
      };
      lane.items.push(new Item(stored, host, restore));
    }
    return [...lanes.values()];
  }
}
