/**
 * Asks the database for lanes, and for what has come for those that are here. Where the answer does not arrive, the lanes
 * that the database has given go back first: otherwise they would wait for as long as this process lives.
 */
import type { Clock } from '../../clock.js';
import { type OrderKey, orderKey, type Seq, seq, updateId } from '../ids.js';
import type { Database } from './database.js';
import { isAway } from './failure.js';
import { Item } from './item.js';
import { LookAhead } from './look-ahead.js';
import { type GivenLane, type Reserve, UPDATES_OF_LANE } from './reserve.js';
import { type ClaimedRow, claim, lockLanes, reconcile } from './statements/claims.js';
import { lockHost } from './statements/hosts.js';

export interface ClaimsOptions<U> {
  readonly database: Pick<Database, 'work'>;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Makes an update of its JSON. */
  restore(content: unknown): U;
  reserve(): Reserve<U>;
  /** The lanes that this process has been given and has not given back, and up to which number. */
  known(): ReadonlyMap<OrderKey, Seq>;
  /** The number of this process in the database, while it may begin updates. */
  host(): number | undefined;
  /** Something has come. */
  given(): void;
  failed(error: unknown): void;
}

/** Of how many lanes that are here more is asked for at once. */
const LANES_WITH_MORE = 100;

const PAUSE_MS = 200;

/** The claims of a process whose outcomes are all known. */
interface Round {
  readonly host: number;
  readonly number: number;
  /** Whether the outcome of the last claim is not known. */
  readonly isOver: boolean;
}

interface ClaimedLane<U> extends GivenLane<U> {
  given: Seq;
  readonly items: Item<U>[];
  /** Whether the host did not have it before. */
  readonly isFresh: boolean;
}

export class Claims<U> {
  readonly #options: ClaimsOptions<U>;
  readonly #lookAhead = new LookAhead();
  /** Whether the database may have lanes that nobody has. */
  #mayFindLanes = true;
  #isWanted = false;
  #round: Round | undefined;
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

  /** So many updates of the reserve have begun. */
  noticeTaken(updates: number): void {
    const { clock, reserve } = this.#options;
    const now = clock.now();
    this.#lookAhead.note(updates, now);
    if (this.#needsLanes(reserve(), now)) this.#ask();
  }

  /** Resolves when nothing is asked any more. */
  async settled(): Promise<void> {
    await this.#loop;
  }

  /** Whether too few lanes can begin, and there may be others. */
  #needsLanes({ idleLanes }: Reserve<U>, now: number): boolean {
    return this.#mayFindLanes && idleLanes < this.#lookAhead.lanes(now) / 2;
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
      try {
        const round = await this.#roundOf(own);
        const most = Math.max(0, this.#lookAhead.lanes(clock.now()) - into.idleLanes);
        this.#round = { ...round, isOver: true };
        const full = into.noteFullLanes();
        const values = [own, most, full, UPDATES_OF_LANE, round.number, LANES_WITH_MORE];
        const rows = await database.work.query(claim, values);
        this.#round = round;
        // A process that was taken for dead meanwhile has nothing.
        if (into !== reserve()) continue;
        const lanes = this.#lanesOf(rows, own);
        const fresh = lanes.filter(({ isFresh }) => isFresh).length;
        for (const lane of lanes) into.add(lane);
        this.#mayFindLanes = most === 0 || fresh >= most;
        const hasMore = lanes.some(({ items }) => items.length >= UPDATES_OF_LANE);
        if (hasMore || lanes.length - fresh >= LANES_WITH_MORE) this.#isWanted = true;
        // Of what has come, all may have to wait, and then nothing is taken that would ask for more.
        if (this.#needsLanes(into, clock.now())) this.#isWanted = true;
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

  /** The round in which the host may claim. Before a further one begins, the database has what this process does not know of. */
  async #roundOf(host: number): Promise<Round> {
    const { database, known } = this.#options;
    const round = this.#round;
    if (round?.host !== host) return { host, number: 0, isOver: false };
    if (!round.isOver) return round;
    const begun = await database.work.transaction(async (queries) => {
      // Waits for a claim that was given up and is carried out still. A later one finds that its round is over.
      await queries.query(lockHost, [host]);
      await queries.query(lockLanes, [host]);
      const lanes = known();
      return queries.query(reconcile, [host, [...lanes.keys()], [...lanes.values()]]);
    });
    return { host, number: begun[0]?.round ?? round.number, isOver: false };
  }

  #lanesOf(rows: readonly ClaimedRow[], host: number): readonly ClaimedLane<U>[] {
    const { now, restore } = this.#options;
    const lanes = new Map<string, ClaimedLane<U>>();
    for (const { key: text, last, isFresh, isDoubtful, update } of rows) {
      const key = orderKey(text);
      const lane = lanes.get(key) ?? { key, given: seq(last), isFresh, isDoubtful, items: [] };
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
      // There may be more of it.
      if (lane.items.length >= UPDATES_OF_LANE) lane.given = stored.seq;
    }
    return [...lanes.values()];
  }
}
