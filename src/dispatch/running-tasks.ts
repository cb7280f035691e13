/**
 * The tasks whose handlers have not ended. A task is within its time, or in the grace after it, or it hangs: then it is given
 * up and takes no slot, and only its late end is still to be told.
 */
import type { Clock } from '../clock.js';
import type { Task } from './task.js';
import { TimeoutQueue } from './timeout-queue.js';

export interface RunningTasksOptions<T> {
  readonly clock: Clock;
  /** After this long a handler's time is up. `Infinity`: never. */
  readonly handlerTimeoutMs: number;
  /** How much longer a timed-out handler may take before it hangs, in milliseconds. Default: 10 s. */
  readonly graceMs?: number;
  /** Called when a handler's time is up; its grace has begun. */
  timedOut(task: Task<T>): void;
  /** Called when the grace of a handler is over too. */
  givenUp(task: Task<T>): void;
}

const DEFAULT_GRACE_MS = 10_000;

export class RunningTasks<T> {
  readonly #graceMs: number;
  readonly #inTime: TimeoutQueue<Task<T>>;
  readonly #inGrace: TimeoutQueue<Task<T>>;
  readonly #hung = new Set<Task<T>>();

  constructor(options: RunningTasksOptions<T>) {
    const { clock, handlerTimeoutMs, graceMs = DEFAULT_GRACE_MS } = options;
    this.#graceMs = graceMs;
    this.#inTime = new TimeoutQueue({
      clock,
      delayMs: handlerTimeoutMs,
      expired: (task) => {
        task.timeout = this.#inGrace.add(task);
        options.timedOut(task);
      },
    });
    this.#inGrace = new TimeoutQueue({
      clock,
      delayMs: graceMs,
      expired: (task) => {
        this.#hung.add(task);
        options.givenUp(task);
      },
    });
  }

  /** The number of tasks that take a slot. */
  get size(): number {
    return this.#inTime.size + this.#inGrace.size;
  }

  /** The number of tasks that hang. */
  get hung(): number {
    return this.#hung.size;
  }

  /** The tasks that take a slot, those that have run for longest first. */
  *items(): Generator<Task<T>> {
    yield* this.#inGrace.items();
    yield* this.#inTime.items();
  }

  /** When the next timeout is due, in the clock's milliseconds; Infinity where no task takes a slot. */
  get nextTimeout(): number {
    return Math.min(this.#inTime.next, this.#inGrace.next);
  }

  /** When no task takes a slot any more, at the latest, in the clock's milliseconds; -Infinity where none does now. */
  get endedBy(): number {
    return Math.max(this.#inTime.last + this.#graceMs, this.#inGrace.last);
  }

  add(task: Task<T>, now: number): void {
    task.timeout = this.#inTime.add(task, now);
  }

  /** Takes out a task whose handler has ended. Returns false where it was given up before. */
  end(task: Task<T>): boolean {
    if (task.timeout?.cancel()) return true;
    this.#hung.delete(task);
    return false;
  }

  /** Forgets the tasks that take a slot. */
  clear(): void {
    this.#inTime.clear();
    this.#inGrace.clear();
  }
}
