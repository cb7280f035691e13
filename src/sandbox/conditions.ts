/** Waits until conditions hold. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';

export interface ConditionsOptions {
  readonly clock: Clock;
  /** Ends all waits when it aborts. */
  readonly closing: AbortSignal;
  /** Describes the sandbox's state, for the error of a wait that fails. */
  readonly describeState: () => string;
}

export class Conditions {
  readonly #options: ConditionsOptions;
  readonly #checks = new Set<() => void>();

  constructor(options: ConditionsOptions) {
    this.#options = options;
  }

  /** Resolves when the condition holds. Rejects after `timeoutMs`, on closing, and with what the condition throws. */
  waitFor(condition: () => boolean, timeoutMs: number): Promise<void> {
    const { clock, closing, describeState } = this.#options;
    const cleanups: (() => void)[] = [];
    const waiting = new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why}: ${condition} (${describeState()})`));
      const check = () => {
        try {
          if (condition()) resolve();
        } catch (error) {
          reject(error);
        }
      };
      cleanups.push(
        this.subscribe(check),
        clock.after(timeoutMs, () => fail(`Waited ${timeoutMs} ms without success for`)),
        onAbort(closing, () => fail('The sandbox closed while waiting for')),
      );
      check();
    });
    return waiting.finally(() => {
      for (const cleanup of cleanups) cleanup();
    });
  }

  /** Calls the listener whenever the conditions are checked. Returns a function that ends it. */
  subscribe(check: () => void): () => void {
    this.#checks.add(check);
    return () => void this.#checks.delete(check);
  }

  /** Checks the conditions of all waits. */
  check(): void {
    for (const check of [...this.#checks]) check();
  }
}
