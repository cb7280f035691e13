/**
 * Knows whether code is called from within a handler, and ends the run of a handler that calls `process.exit`: the drain
 * then waits for it no longer.
 */
import type { UpdateRun } from '../context.js';
import type { HandlerScope } from '../handling.js';
import { type Caller, type CallerTracking, trackCallers } from './caller-tracking.js';

/** The call of the handlers of one update. */
class HandlerCall implements Caller {
  readonly run: UpdateRun;
  isOver = false;
  /** Whether the handler has stopped a bot. */
  hasStopped = false;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;

  constructor(run: UpdateRun, resolve: () => void, reject: (error: unknown) => void) {
    this.run = run;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends the run, whatever its code still does. */
  ended(): void {
    this.isOver = true;
    this.#resolve();
  }

  failed(error: unknown): void {
    this.isOver = true;
    this.#reject(error);
  }
}

export class HandlerExits implements HandlerScope {
  readonly #calls: CallerTracking<HandlerCall>;

  constructor(calls: CallerTracking<HandlerCall> = trackCallers()) {
    this.#calls = calls;
  }

  /** Resolves when the handler has ended or has called `process.exit`; rejects with what it throws before that. */
  run(run: UpdateRun, handle: () => Promise<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#calls.run(new HandlerCall(run, resolve, reject), handle);
    });
  }

  /** Calls a function as if no handler had called it, and so all that follows from it. */
  outside<T>(work: () => T): T {
    return this.#calls.outside(work);
  }

  /** Whether a handler that has not ended calls this. */
  get isInHandler(): boolean {
    return this.#calls.caller?.isOver === false;
  }

  /** Notes that a bot is stopped, perhaps by a handler. */
  stopped(): void {
    const call = this.#calls.caller;
    if (call) call.hasStopped = true;
  }

  /**
   * Notes that a bot is launched. The run of a handler that has stopped one before ends with that: the launch waits for the
   * handlers of the stopped bot, and the handler may wait for the launch.
   */
  launched(): void {
    const call = this.#calls.caller;
    if (call?.hasStopped && !call.isOver) call.ended();
  }

  /**
   * Ends the run of the handler that calls `process.exit`, also if work that the handler has not waited for calls it. Such
   * work does not count during the stop, where the program may be closing what a handler has opened.
   *
   * @returns `first` for the first call of a run, `again` for a later one, undefined if no handler calls this
   */
  exit(isStopping: boolean): 'first' | 'again' | undefined {
    const call = this.#calls.caller;
    if (call?.run.hasExited) return 'again';
    if (!call || (call.isOver && isStopping)) return undefined;
    call.run.hasExited = true;
    call.ended();
    return 'first';
  }
}
