/**
 * Notices that a step of the run has not ended by its latest end: a disk hangs, say. A supervisor without a watchdog would
 * never end such a run.
 */
import type { Clock } from '../clock.js';
import type { CurrentStep } from './progress.js';

export interface StallWatchOptions {
  readonly clock: Clock;
  /** What may be under way. */
  steps(): readonly CurrentStep[];
  /** Called once, with a step that is overdue, and by how long. */
  stalled(step: CurrentStep, overdueMs: number): void;
}

const LOOK_EVERY_MS = 5_000;

export class StallWatch {
  readonly #options: StallWatchOptions;
  /** What was overdue at the last look. */
  #overdue: readonly CurrentStep[] = [];
  #cancel = () => {};

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, steps, stalled } = this.#options;
    const now = clock.now();
    const overdue = steps().filter(({ latestEnd }) => latestEnd < now);
    // A busy event loop lets all timers fire late, so a step counts as stalled only when it is seen overdue twice.
    const step = overdue.find(({ name, latestEnd }) =>
      this.#overdue.some((before) => before.name === name && before.latestEnd === latestEnd),
    );
    this.#overdue = overdue;
    if (step) stalled(step, now - step.latestEnd);
    else this.start();
  }
}
