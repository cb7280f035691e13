/**
 * How updates are handled: keys (chats) side by side up to a limit, the items of one key strictly in order, each
 * handler for a limited time, and a drain that ends.
 *
 *     waiting ──► running ──► settled: handled, failed
 *        │           │ handlerTimeoutMs: its signal aborts
 *        │           ▼
 *        │        in grace ──► settled: handled, failed
 *        │           │ graceMs
 *        │           ▼
 *        │        hung (settled: timed-out; key and slot go on) ──► ended late
 *        ▼
 *     left (a drain that may not start it)      running or in grace at the drain's latest end: aborted, never settled
 */
import type { Clock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { Deadlines } from './deadlines.js';
import type { DispatchEvent, Handling } from './events.js';
import { Lanes } from './lanes.js';
import { type HandlerRun, Task } from './task.js';

export type HandlingResult = 'handled' | 'failed' | 'timed-out';

/**
 * @typeParam T what is dispatched
 * @typeParam W what a handler gets of it
 */
export interface DispatcherOptions<T, W = T> {
  /** How many keys may be at work at once; at least 1. */
  readonly concurrency: number;
  /** After this long a handler's signal aborts. `Infinity`: never. */
  readonly handlerTimeoutMs: number;
  /** How much longer a timed-out handler may take before it is given up. Default: 10 s. */
  readonly graceMs?: number;
  readonly clock: Clock;
  /** The item's ordering key. Must not throw. */
  keyOf(item: T): string;
  /** What to call the item in an error: `update 42`. */
  nameOf(item: T): string;
  /**
   * Told what is about to be handled, those that start together at once; gives what the handler of each gets, undefined
   * where there is nothing to do. When it throws, all of them have failed.
   */
  begin(items: readonly T[]): readonly (W | undefined)[];
  /** Handles the item. It may throw or reject; both count as failed and stop nothing. */
  handle(work: W, run: HandlerRun, item: T): Promise<unknown>;
  /** Called exactly once for each item whose handler has ended or was given up; `error` says why it did not succeed. */
  settled(item: T, result: HandlingResult, error?: unknown): void;
  emit(event: DispatchEvent<T>): void;
}

export interface DrainOptions<T> {
  /** Whether an item that waits may start even now. One that may not also blocks those of its key behind it. */
  mayStart(item: T): boolean;
  /** When it aborts, the drain ends: running handlers are aborted with its reason. */
  readonly latestEnd: AbortSignal;
}

export interface DrainResult<T> {
  /** Running when the drain was cut: aborted, not settled. */
  readonly aborted: readonly Handling<T>[];
  /** Never begun; of one key in order of arrival. */
  readonly left: readonly T[];
}

export interface DispatchCounts {
  readonly waiting: number;
  /** Running handlers, those in their grace among them. */
  readonly running: number;
  /** Timed-out handlers that were given up and have not ended yet. */
  readonly hung: number;
  /** Totals of settled items. */
  readonly handled: number;
  readonly failed: number;
  readonly timedOut: number;
}

const DEFAULT_GRACE_MS = 10_000;

/** Handlers that never wait would start one another for ever; after this long, signals, timers and sockets get a turn. */
const LONGEST_SLICE_MS = 10;

/** And so many start together at most, for nothing can be done between them. */
const LARGEST_GROUP = 64;

export class Dispatcher<T, W = T> {
  readonly #options: DispatcherOptions<T, W>;
  readonly #lanes = new Lanes<T>();
  /** Which of them a task is in says what state it is in: within its time, in its grace, or hung. */
  readonly #inTime: Deadlines<Task<T>>;
  readonly #inGrace: Deadlines<Task<T>>;
  readonly #hung = new Set<Task<T>>();
  #mayStart: (item: T) => boolean = () => true;
  #drained: Promise<DrainResult<T>> | undefined;
  /** Set once the drain has begun. */
  #endDrain: ((aborted: readonly Handling<T>[]) => void) | undefined;
  /** Pushed since then. */
  readonly #late: T[] = [];
  #willStart = false;
  #starting = false;
  /** When this turn of the event loop has to end, if it has started anything. */
  #sliceEnd: number | undefined;
  #exhausted = false;
  #handled = 0;
  #failed = 0;
  #timedOut = 0;

  constructor(options: DispatcherOptions<T, W>) {
    const { clock, handlerTimeoutMs, graceMs = DEFAULT_GRACE_MS } = options;
    this.#options = options;
    this.#inTime = new Deadlines({
      clock,
      delayMs: handlerTimeoutMs,
      expired: (task) => this.#timeOut(task),
    });
    this.#inGrace = new Deadlines({ clock, delayMs: graceMs, expired: (task) => this.#giveUp(task) });
  }

  get counts(): DispatchCounts {
    return {
      waiting: this.#lanes.waiting + this.#late.length,
      running: this.#running,
      hung: this.#hung.size,
      handled: this.#handled,
      failed: this.#failed,
      timedOut: this.#timedOut,
    };
  }

  /**
   * When something has to have happened here, in the clock's milliseconds: the next deadline of a running handler. In the
   * past where an item could start and nothing does; Infinity where there is nothing to do.
   */
  get latestEnd(): number {
    if (this.#running > 0) return Math.min(this.#inTime.next, this.#inGrace.next);
    if (!this.#lanes.hasReady) return Number.POSITIVE_INFINITY;
    return this.#sliceEnd ?? Number.NEGATIVE_INFINITY;
  }

  /** Handles the items, in this order where they share a key. Once a drain has begun they are only kept, as left. */
  push(items: Iterable<T>): void {
    if (this.#endDrain) {
      for (const item of items) this.#late.push(item);
      return;
    }
    for (const item of items) this.#lanes.add(this.#options.keyOf(item), item);
    this.#startNext();
  }

  /**
   * Starts no more items than `mayStart` allows, and resolves when nothing runs and nothing that may start waits; at the
   * latest when `latestEnd` aborts, which aborts the handlers still running. Hung handlers are not waited for. Never
   * rejects. A second call returns the first one's promise, its options are not looked at.
   */
  drain({ mayStart, latestEnd }: DrainOptions<T>): Promise<DrainResult<T>> {
    this.#drained ??= new Promise((resolve) => {
      const cut = () => this.#cut(latestEnd.reason);
      this.#endDrain = (aborted) => {
        latestEnd.removeEventListener('abort', cut);
        this.#mayStart = () => false;
        this.#inTime.clear();
        this.#inGrace.clear();
        resolve({ aborted, left: [...this.#lanes.items(), ...this.#late] });
      };

      this.#mayStart = mayStart;
      this.#options.emit({ event: 'drain.started', running: this.#running, waiting: this.#lanes.waiting });
      if (latestEnd.aborted) return cut();
      latestEnd.addEventListener('abort', cut, { once: true });
      this.#startNext();
    });
    return this.#drained;
  }

  get #running(): number {
    return this.#inTime.size + this.#inGrace.size;
  }

  /** Whatever frees a key or a slot ends by calling this. What starts in one go is begun together. */
  #startSoon(): void {
    if (this.#willStart) return;
    this.#willStart = true;
    queueMicrotask(() => {
      this.#willStart = false;
      this.#startNext();
    });
  }

  /** Starts what may start now. */
  #startNext(): void {
    // What comes back here from within the loop below is seen to by its next turn.
    if (this.#starting) return;
    this.#starting = true;
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup()) this.#start(group);
    this.#starting = false;
    if (this.#running === 0 && !this.#lanes.hasReady) this.#endDrain?.([]);
  }

  #nextGroup(): readonly Task<T>[] {
    const group: Task<T>[] = [];
    const { concurrency, clock } = this.#options;
    if (this.#running >= concurrency || !this.#lanes.hasReady || !this.#hasTimeLeft()) return group;
    const now = clock.now();
    while (group.length < LARGEST_GROUP && this.#running < concurrency) {
      const taken = this.#lanes.take(this.#mayStart);
      if (!taken) break;
      const task = new Task(taken, now);
      task.deadline = this.#inTime.add(task, now);
      group.push(task);
    }
    return group;
  }

  #hasTimeLeft(): boolean {
    const now = this.#options.clock.now();
    if (this.#sliceEnd === undefined) {
      this.#sliceEnd = now + LONGEST_SLICE_MS;
      setImmediate(() => {
        this.#sliceEnd = undefined;
        this.#startNext();
      });
    }
    return now <= this.#sliceEnd;
  }

  #start(group: readonly Task<T>[]): void {
    const items: T[] = [];
    for (const { item } of group) items.push(item);
    let works: readonly (W | undefined)[];
    try {
      works = this.#options.begin(items);
    } catch (error) {
      for (const task of group) this.#ended(task, { error });
      return;
    }
    let turn = 0;
    for (const task of group) {
      const work = works[turn++];
      if (work === undefined) this.#ended(task);
      else void this.#run(task, work);
    }
  }

  async #run(task: Task<T>, work: W): Promise<void> {
    try {
      await this.#options.handle(work, task, task.item);
    } catch (error) {
      this.#ended(task, { error });
      return;
    }
    this.#ended(task);
  }

  #ended(task: Task<T>, failure?: { readonly error: unknown }): void {
    if (!task.deadline?.cancel()) {
      this.#hung.delete(task);
      this.#options.emit({ event: 'handler.ended-late', ...this.#describe(task), ...failure });
      return;
    }
    this.#lanes.release(task.lane);
    if (failure) {
      this.#failed++;
      this.#options.emit({ event: 'handler.failed', ...this.#describe(task), ...failure });
      this.#settle(task, 'failed', failure.error);
    } else {
      this.#handled++;
      this.#settle(task, 'handled');
    }
    this.#startSoon();
  }

  #timeOut(task: Task<T>): void {
    const name = this.#options.nameOf(task.item);
    const described = this.#describe(task);
    const error = new LastcallError(
      'HANDLER_TIMED_OUT',
      name,
      `the handler of ${name} (key ${described.key}) has run for ${Math.round(described.durationMs)} ms`,
    );
    task.deadline = this.#inGrace.add(task);
    this.#options.emit({ event: 'handler.timed-out', ...described, error });
    task.abort(error);
  }

  #giveUp(task: Task<T>): void {
    const { concurrency, emit } = this.#options;
    this.#hung.add(task);
    this.#timedOut++;
    this.#lanes.release(task.lane);
    emit({ event: 'handler.hung', ...this.#describe(task), hung: this.#hung.size });
    if (this.#hung.size > concurrency && !this.#exhausted) {
      this.#exhausted = true;
      emit({ event: 'dispatch.exhausted', hung: this.#hung.size, concurrency });
    }
    this.#settle(task, 'timed-out', task.signal.reason);
    this.#startSoon();
  }

  #cut(reason: unknown): void {
    const tasks = [...this.#inGrace.items(), ...this.#inTime.items()];
    const aborted = tasks.map((task) => this.#describe(task));
    this.#endDrain?.(aborted);
    if (aborted.length > 0) this.#options.emit({ event: 'drain.overdue', aborted });
    for (const task of tasks) task.abort(reason);
  }

  #settle({ item, lane }: Task<T>, result: HandlingResult, error?: unknown): void {
    try {
      this.#options.settled(item, result, error);
    } catch (fault) {
      this.#options.emit({ event: 'dispatch.fault', item, key: lane.key, error: fault });
    }
  }

  #describe({ item, lane, startedAt }: Task<T>): Handling<T> {
    return { item, key: lane.key, durationMs: this.#options.clock.now() - startedAt };
  }
}
