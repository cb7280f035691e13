/**
 * How updates are handled: the dispatcher has a limited number of slots, takes an item from its source whenever one is free,
 * gives each handler a limited time, and has a drain that ends. It knows nothing of chats and their order: the source
 * hands out only what may start.
 *
 *     taken ──► running ──► settled: handled, caught, failed, expired; or put back, or left
 *                 │ handlerTimeoutMs: its signal aborts
 *                 ▼
 *              in grace ──► as above
 *                 │ graceMs
 *                 ▼
 *               hung (settled: timed-out; the slot is free) ──► ended late
 *
 * A handler that is running or in grace at the drain's latest end is aborted, and its item is never settled.
 */
import { onAbort } from '../abort.js';
import { LastcallError } from '../errors.js';
import { guarded } from '../listener.js';
import { Decisions, type DecisionsOptions } from './decisions.js';
import type { DispatchEvent, Handling } from './events.js';
import type { Decision } from './failure.js';
import { Outages } from './outages.js';
import { Pauses } from './pauses.js';
import { RunningTasks } from './running-tasks.js';
import type { HandlingResult, Source } from './source.js';
import { type HandlerRun, Task } from './task.js';

/** How a handler has ended that did not fail for its caller; nothing where it ended well. */
// biome-ignore lint/suspicious/noConfusingVoidType: handlers that end well return nothing
type HandlingOutcome = { readonly caught: unknown } | undefined | void;

export interface DispatcherOptions<T>
  extends Pick<
    DecisionsOptions<T>,
    'source' | 'historyOf' | 'failureOf' | 'retries' | 'random' | 'now' | 'clock'
  > {
  /** How many handlers may be at work at once; at least 1. */
  readonly concurrency: number;
  /** After this long a handler's signal aborts. `Infinity`: never. */
  readonly handlerTimeoutMs: number;
  /** How much longer a timed-out handler may take before it is given up, in milliseconds. Default: 10 s. */
  readonly graceMs?: number;
  /** What to call the item in an error: `update 42`. */
  nameOf(item: T): string;
  /**
   * Handles the item. May throw or reject: then `failureOf` and the table of failures decide what becomes of the item. An
   * error that somebody else has taken care of is returned as `caught`.
   */
  handle(item: T, run: HandlerRun): Promise<HandlingOutcome>;
  /**
   * Called once for each handler, when it has ended or was given up, with how long it ran, and the clock's time. Must not
   * throw.
   */
  timed?(item: T, durationMs: number, now: number): void;
  emit(event: DispatchEvent<T>): void;
}

export interface DispatchCounts {
  /** Running handlers, those in their grace among them. */
  readonly running: number;
  /** Timed-out handlers that were given up and have not ended yet. */
  readonly hung: number;
}

/** After this long, signals, timers and sockets get a turn, even if handlers never wait and keep ending. */
const LONGEST_SLICE_MS = 10;

/** The most items taken together: nothing else can run while their handlers start. */
const LARGEST_GROUP = 64;

export class Dispatcher<T> {
  readonly #options: DispatcherOptions<T>;
  readonly #emit: (event: DispatchEvent<T>) => void;
  #state: 'idle' | 'running' | 'draining' | 'drained' = 'idle';
  readonly #tasks: RunningTasks<T>;
  readonly #pauses: Pauses;
  readonly #outages: Outages;
  readonly #decisions: Decisions<T>;
  #drained: Promise<readonly Handling<T>[]> | undefined;
  #endDrain: (aborted: readonly Handling<T>[]) => void = () => {};
  #willStart = false;
  #starting = false;
  /** Until when items may be started in this turn of the event loop; undefined before the first. */
  #sliceEnd: number | undefined;
  #exhausted = false;

  constructor(options: DispatcherOptions<T>) {
    const { clock, emit } = options;
    this.#options = options;
    this.#emit = guarded(emit);
    this.#pauses = new Pauses(clock);
    this.#outages = new Outages(clock);
    this.#decisions = new Decisions({
      ...options,
      outages: this.#outages,
      isStopping: () => this.#state !== 'running',
    });
    this.#tasks = new RunningTasks({
      ...options,
      timedOut: (task) => this.#timeOut(task),
      givenUp: (task) => this.#giveUp(task),
    });
  }

  get counts(): DispatchCounts {
    return { running: this.#tasks.size, hung: this.#tasks.hung };
  }

  /** The handlers at work, those that have run for longest first. */
  *running(): Generator<Handling<T>> {
    for (const task of this.#tasks.items()) yield this.#describe(task);
  }

  /**
   * When the handlers that run now have ended or were given up, at the latest, in the clock's milliseconds; -Infinity where
   * none runs.
   */
  get runningUntil(): number {
    return this.#tasks.endedBy;
  }

  /** Whether an item that were ready would start at once. */
  get hasFreeSlot(): boolean {
    return this.#takes && this.#tasks.size < this.#options.concurrency;
  }

  /**
   * When something has to have happened here, in the clock's milliseconds: the next timeout of a running handler. In the
   * past where an item could start and nothing does; Infinity where there is nothing to do.
   */
  get latestEnd(): number {
    if (this.#tasks.size > 0) return this.#tasks.nextTimeout;
    if (!this.#takes || !this.#options.source.hasReady) return Number.POSITIVE_INFINITY;
    return this.#sliceEnd ?? Number.NEGATIVE_INFINITY;
  }

  /** Begins to take items; called once the handlers can be expected to do their work. Without effect after a drain. */
  start(): void {
    if (this.#state === 'idle') this.#state = 'running';
    this.#startNext();
  }

  /** Takes what the source has; to be called when it has something again, other than by `settle`. */
  wake(): void {
    this.#startNext();
  }

  /** Starts no new handler until `resume`, because Telegram cannot be reached. Running handlers go on. */
  hold(): void {
    if (!this.#outages.begin()) return;
    const { waiting } = this.#options.source.counts;
    this.#emit({ event: 'dispatch.held', running: this.#tasks.size, waiting });
  }

  /** Starts handlers again. */
  resume(): void {
    const heldMs = this.#outages.end();
    if (heldMs === undefined) return;
    this.#emit({ event: 'dispatch.resumed', heldMs, waiting: this.#options.source.counts.waiting });
    this.#startNext();
  }

  /**
   * Resolves when nothing runs and the source has nothing more to start, at the latest when `latestEnd` aborts: that aborts
   * the handlers still running, with its reason, and the drain resolves with them; their items are not settled. Hung
   * handlers are not waited for. Never rejects. A second call returns the first one's promise.
   *
   * @param withinMs when `latestEnd` is expected to abort: handlers do not wait for Telegram for longer
   */
  drain(latestEnd: AbortSignal, withinMs = Number.POSITIVE_INFINITY): Promise<readonly Handling<T>[]> {
    this.#drained ??= new Promise((resolve) => {
      let forget = () => {};
      this.#endDrain = (aborted) => {
        forget();
        this.#state = 'drained';
        this.#tasks.clear();
        resolve(aborted);
      };

      const { waiting } = this.#options.source.counts;
      this.#emit({ event: 'drain.started', running: this.#tasks.size, waiting });
      if (this.#state === 'running') this.#state = 'draining';
      this.#pauses.endBy(this.#options.clock.now() + withinMs);
      forget = onAbort(latestEnd, () => this.#cut(latestEnd.reason));
      if (this.#state === 'idle') this.#endDrain([]);
      else this.#startNext();
    });
    return this.#drained;
  }

  get #takes(): boolean {
    return (this.#state === 'running' && !this.#outages.isNow) || this.#state === 'draining';
  }

  /** Called when a slot is free or an item may be ready. Several calls in one tick lead to one `take`. */
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
    // A re-entrant call has nothing to do: the running loop takes again.
    if (!this.#takes || this.#starting) return;
    const { source, concurrency } = this.#options;
    this.#starting = true;
    let isEmpty = false;
    // What starts may end the drain: then nothing more is taken.
    while (this.#takes && !isEmpty && this.#tasks.size < concurrency) {
      isEmpty = !source.hasReady;
      if (isEmpty || !this.#hasTimeLeft()) break;
      const items = source.take(Math.min(LARGEST_GROUP, concurrency - this.#tasks.size));
      isEmpty = items.length === 0;
      this.#start(items);
    }
    this.#starting = false;
    if (isEmpty && this.#tasks.size === 0 && this.#state === 'draining') this.#endDrain([]);
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

  #start(items: readonly T[]): void {
    const now = this.#options.clock.now();
    const tasks = items.map((item) => new Task(item, now, this.#decisions.of, this.#pauses));
    // All items count as running before the first handler runs, because a handler may request the stop.
    for (const task of tasks) this.#tasks.add(task, now);
    for (const task of tasks) {
      // A handler that has just started may have ended the drain, which has aborted the others.
      if (this.#state === 'drained') return;
      void this.#run(task);
    }
  }

  async #run(task: Task<T>): Promise<void> {
    try {
      const outcome = await this.#options.handle(task.item, task);
      this.#ended(task, outcome ? { error: outcome.caught, isCaught: true } : undefined);
    } catch (error) {
      this.#ended(task, { error, isCaught: false });
    }
  }

  #ended(task: Task<T>, failure?: { readonly error: unknown; readonly isCaught: boolean }): void {
    if (!this.#tasks.end(task)) {
      const error = failure && !failure.isCaught ? { error: failure.error } : undefined;
      this.#emit({ event: 'handler.ended-late', ...this.#describe(task), ...error });
      return;
    }
    this.#noteTime(task);
    if (failure) this.#failed(task, failure.error, failure.isCaught);
    else this.#settle(task, 'handled');
  }

  #failed(task: Task<T>, error: unknown, isCaught: boolean): void {
    const decision: Decision = isCaught ? { does: 'give up', why: 'failed' } : task.decisionOn(error);
    if (decision.does === 'give up') {
      this.#emit({ event: 'handler.failed', ...this.#describe(task), error, caught: isCaught });
      this.#settle(task, isCaught ? 'caught' : decision.why, error);
      return;
    }
    const delayMs = decision.does === 'put back' ? decision.delayMs : undefined;
    const failure = this.#decisions.failureOf(error, task).kind;
    this.#emit({ event: 'handler.put-back', ...this.#describe(task), error, failure, delayMs });
    // An item that is left stays taken, so that the source keeps it for the next run like one that the drain has cut.
    this.#tellSource(task, (source) => {
      if (decision.does === 'put back') source.putBack(task.item, decision);
    });
  }

  #timeOut(task: Task<T>): void {
    const name = this.#options.nameOf(task.item);
    const described = this.#describe(task);
    const error = new LastcallError(
      'HANDLER_TIMED_OUT',
      name,
      `the handler of ${name} has run for ${Math.round(described.durationMs)} ms`,
    );
    this.#emit({ event: 'handler.timed-out', ...described, error });
    task.abort(error);
  }

  #giveUp(task: Task<T>): void {
    const { concurrency } = this.#options;
    const { hung } = this.#tasks;
    this.#noteTime(task);
    this.#emit({ event: 'handler.hung', ...this.#describe(task), hung });
    if (hung > concurrency && !this.#exhausted) {
      this.#exhausted = true;
      this.#emit({ event: 'dispatch.exhausted', hung, concurrency });
    }
    this.#settle(task, 'timed-out', task.signal.reason);
  }

  #cut(reason: unknown): void {
    const tasks = [...this.#tasks.items()];
    const aborted = tasks.map((task) => this.#describe(task));
    this.#endDrain(aborted);
    if (aborted.length > 0) this.#emit({ event: 'drain.overdue', aborted });
    for (const task of tasks) task.abort(reason);
  }

  #settle(task: Task<T>, result: HandlingResult, error?: unknown): void {
    this.#tellSource(task, (source) => source.settle(task.item, result, error));
  }

  #tellSource({ item }: Task<T>, tell: (source: Source<T>) => void): void {
    try {
      tell(this.#options.source);
    } catch (fault) {
      this.#emit({ event: 'dispatch.fault', item, error: fault });
    }
    this.#startSoon();
  }

  #noteTime({ item, startedAt }: Task<T>): void {
    const { clock, timed } = this.#options;
    if (!timed) return;
    const now = clock.now();
    timed(item, now - startedAt, now);
  }

  #describe({ item, startedAt }: Task<T>): Handling<T> {
    return { item, durationMs: this.#options.clock.now() - startedAt };
  }
}
