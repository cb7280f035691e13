/**
 * Names the chats that jam: an item waits for its turn behind others with the same key, although slots are free. One slow
 * handler is enough for that, or a busy group whose updates are handled one at a time.
 */
import type { Clock } from '../clock.js';
import { guarded } from '../listener.js';
import type { DispatchEvent, Handling } from './events.js';

/** What waits behind an item that is at work. */
export interface WaitingBehind {
  readonly waiting: number;
  /** When the first of them was accepted, in milliseconds since 1970. */
  readonly acceptedAtMs: number;
}

export interface JamWatchOptions<T> {
  /** The handlers at work, those that have run for longest first. */
  running(): Iterable<Handling<T>>;
  /** Whether an item that were ready would start at once. */
  hasFreeSlot(): boolean;
  /** What waits for an item that is at work to end; undefined if nothing does. */
  waitingBehind(item: T): WaitingBehind | undefined;
  keyOf(item: T): string;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  emit(event: DispatchEvent<T>): void;
}

/** A jam as it is now. */
export interface CurrentJam {
  readonly key: string;
  readonly waiting: number;
  /** For how long the first of them has waited. */
  readonly waitedMs: number;
}

/** A jam with the handler that the others wait for. */
interface SeenJam<T> extends CurrentJam {
  readonly handling: Handling<T>;
}

interface Jam<T> {
  /** The item ahead, as it was when the jam was seen last. */
  item: T;
  /** When the jam began, in the clock's milliseconds; undefined once it is over. */
  beganAt: number | undefined;
  /** When it was told last, in the clock's milliseconds. */
  toldAt: number;
}

const CHECK_EVERY_MS = 1_000;

/** After this long people think that the bot is broken. */
const JAMMED_AFTER_MS = 10_000;

/** The least time between two events about the same chat. */
const TELL_EVERY_MS = 60_000;

export class JamWatch<T> {
  readonly #options: JamWatchOptions<T>;
  readonly #emit: (event: DispatchEvent<T>) => void;
  /** By key, the jams that last, or were told less than a minute ago. */
  readonly #jams = new Map<string, Jam<T>>();
  /** Since when all that is ready starts at once, and when that was checked last, in milliseconds since 1970. */
  #freeSinceMs = 0;
  #checkedAtMs = 0;
  #isStopped = false;
  #cancelCheck = () => {};

  constructor(options: JamWatchOptions<T>) {
    this.#options = options;
    this.#emit = guarded(options.emit);
  }

  /** Without effect after `stop`. */
  start(): void {
    if (this.#isStopped) return;
    this.#freeSinceMs = this.#now();
    this.#checkedAtMs = this.#now();
    this.#checkLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelCheck();
  }

  /** The jams of this moment, the longest first. */
  get jams(): readonly CurrentJam[] {
    const nowMs = this.#now();
    const putBack = [...this.#jams].flatMap(([key, { item, beganAt }]) => {
      const behind = beganAt === undefined ? undefined : this.#options.waitingBehind(item);
      return behind ? [{ key, waiting: behind.waiting, waitedMs: nowMs - behind.acceptedAtMs }] : [];
    });
    // What runs now comes last, and takes the place of what is remembered of the same key.
    const all = new Map<string, CurrentJam>(putBack.map((jam) => [jam.key, jam]));
    for (const { key, waiting, waitedMs } of this.#seen(nowMs)) all.set(key, { key, waiting, waitedMs });
    return [...all.values()]
      .filter(({ waitedMs }) => waitedMs >= JAMMED_AFTER_MS)
      .sort((one, other) => other.waitedMs - one.waitedMs);
  }

  #now(): number {
    const { now = Date.now } = this.#options;
    return now();
  }

  #checkLater(): void {
    this.#cancelCheck = this.#options.clock.after(CHECK_EVERY_MS, () => {
      this.#check();
      this.#checkLater();
    });
  }

  #check(): void {
    const { hasFreeSlot } = this.#options;
    const nowMs = this.#now();
    // After a longer pause the process stood still, or the system's clock was set: nobody has waited for a handler then.
    const isLate = nowMs - this.#checkedAtMs > 5 * CHECK_EVERY_MS;
    this.#checkedAtMs = nowMs;
    if (isLate || !hasFreeSlot()) this.#freeSinceMs = nowMs;

    const jammed = new Set<string>();
    for (const { key, handling, waiting, waitedMs } of this.#seen(nowMs)) {
      jammed.add(key);
      this.#note(key, handling, waiting, waitedMs);
    }
    for (const [key, jam] of this.#jams)
      if (!jammed.has(key) && !this.#isPutBack(jam, nowMs)) this.#noteEnd(key, jam);
  }

  /** The jams behind handlers that run, one for each key. */
  *#seen(nowMs: number): Generator<SeenJam<T>> {
    const { running, waitingBehind, keyOf } = this.#options;
    const seen = new Set<string>();
    for (const handling of running()) {
      const key = keyOf(handling.item);
      const behind = seen.has(key) ? undefined : waitingBehind(handling.item);
      if (!behind) continue;
      const lasts = this.#jams.get(key)?.beganAt !== undefined;
      const waitedMs =
        nowMs - (lasts ? behind.acceptedAtMs : Math.max(behind.acceptedAtMs, this.#freeSinceMs));
      if (waitedMs < JAMMED_AFTER_MS) continue;
      seen.add(key);
      yield { key, handling, waiting: behind.waiting, waitedMs };
    }
  }

  /** Whether nothing of a jammed key runs and others wait still: the item ahead was put back. */
  #isPutBack({ item, beganAt }: Jam<T>, nowMs: number): boolean {
    const behind = beganAt === undefined ? undefined : this.#options.waitingBehind(item);
    return behind !== undefined && nowMs - behind.acceptedAtMs >= JAMMED_AFTER_MS;
  }

  #note(key: string, handling: Handling<T>, waiting: number, waitedMs: number): void {
    const now = this.#options.clock.now();
    const known = this.#jams.get(key);
    if (known && now - known.toldAt < TELL_EVERY_MS) return;
    this.#jams.set(key, { item: handling.item, beganAt: known?.beganAt ?? now - waitedMs, toldAt: now });
    this.#emit({ event: 'dispatch.jammed', ...handling, waiting, waitedMs });
  }

  #noteEnd(key: string, jam: Jam<T>): void {
    const now = this.#options.clock.now();
    if (jam.beganAt !== undefined)
      this.#emit({ event: 'dispatch.unjammed', key, jammedMs: now - jam.beganAt });
    jam.beganAt = undefined;
    if (now - jam.toldAt >= TELL_EVERY_MS) this.#jams.delete(key);
  }
}
