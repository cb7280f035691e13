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
  #emptied: (() => void) | undefined;
  #emissions = 0;
  /** Whether the listeners of the last emission have begun nothing that keeps the process alive. */
  #isSettled = false;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /**
   * Resolves when the program has nothing left to do, and neither have its listeners for `beforeExit`. The process is held
   * again by then. Rejects with the signal's reason when that aborts. One wait at a time.
   */
  async untilEmpty(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#emissions = 0;
    this.#isSettled = false;
    let removeListener = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        // A turn later: what follows may release the process again, and Node would end it without another emission.
        this.#emptied = () => void setImmediate(resolve);
        removeListener = onAbort(signal, () => {
          this.#end();
          reject(signal.reason);
        });
        this.#keeper.release();
      });
    } finally {
      removeListener();
    }
  }

  /**
   * Takes an emission of `beforeExit`.
   *
   * @param emit calls the listeners; undefined if the program has none
   */
  beforeExit(emit: (() => unknown) | undefined): unknown {
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

  #end(): void {
    if (!this.#emptied) return;
    this.#keeper.hold();
    this.#emptied();
    this.#emptied = undefined;
  }
}
