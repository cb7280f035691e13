/**
 * Tells when nothing but lastcall keeps the process alive any more, which is when Node would end the program: Node then
 * emits `beforeExit`, whatever kind of work it was that kept the process alive.
 */

import { onAbort } from '../../abort.js';

/** What lastcall keeps the process alive with. */
export interface Keeper {
  hold(): void;
  release(): void;
}

/** How often `beforeExit` may bring new work before it is taken for work without end. */
const MOST_EMISSIONS = 10;

export class EventLoop {
  readonly #keeper: Keeper;
  #idle: (() => void) | undefined;
  #emptied: (() => void) | undefined;
  #emissions = 0;
  /** Whether the listeners of the last emission have begun nothing that keeps the process alive. */
  #isSettled = false;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /**
   * Resolves when the program has nothing left to do for now: it may go on, and its listeners for `beforeExit` are not
   * called. Rejects with the signal's reason when that aborts.
   */
  async untilIdle(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    let removeListener = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        this.#idle = resolve;
        removeListener = onAbort(signal, () => {
          reject(signal.reason);
          this.#becomeIdle();
        });
        this.#keeper.release();
      });
    } finally {
      removeListener();
    }
  }

  /**
   * Resolves when the program has nothing left to do, and neither have its listeners for `beforeExit`. To be called once.
   *
   * @param signal aborts when nobody waits for it any longer
   */
  async untilEmpty(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
      signal.addEventListener('abort', () => this.#end(), { once: true });
      this.#keeper.release();
    });
  }

  /**
   * Takes an emission of `beforeExit`.
   *
   * @param emit calls the listeners; undefined if the program has none
   */
  beforeExit(emit: (() => unknown) | undefined): unknown {
    if (this.#idle) {
      this.#becomeIdle();
      return emit !== undefined;
    }
    if (!this.#emptied) return emit?.();
    if (!emit || this.#isSettled || this.#emissions === MOST_EMISSIONS) {
      this.#end();
      return emit !== undefined;
    }
    this.#emissions++;
    this.#isSettled = true;
    // Node emits the event again when the work is over that the listeners have begun, or else ends the process. The first
    // immediate has it emit again in any case; the second one is called only if there is such work.
    setImmediate(() => {
      setImmediate(() => {
        this.#isSettled = false;
      }).unref();
    });
    return emit();
  }

  #becomeIdle(): void {
    this.#keeper.hold();
    this.#idle?.();
    this.#idle = undefined;
  }

  #end(): void {
    if (!this.#emptied) return;
    this.#keeper.hold();
    this.#emptied();
    this.#emptied = undefined;
  }
}
