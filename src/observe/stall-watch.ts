/**
 * Notices that a step of the run has not ended by its latest end: a disk hangs, say. A supervisor without a watchdog would
 * never end such a run.
 */
import type { Clock } from '../clock.js';
import type { LifecycleEvent } from '../lifecycle/events.js';
import type { CurrentStep } from './progress.js';

export interface StallWatchOptions {
  readonly clock: Clock;
  /** What may be under way. */
  steps(): readonly CurrentStep[];
  /** Called once, with a step that is overdue, and for how long. */
  stalled(step: CurrentStep, overdueMs: number): void;
}

const LOOK_EVERY_MS = 5_000;

/** A busy event loop lets all timers fire late, so a step is overdue for some time before it counts as stalled. */
const OVERDUE_MS = 5_000;

/** A step without a latest end should have gone on by itself; nothing tells when, so that it is given more time. */
const OVERDUE_WITHOUT_END_MS = 60_000;

/** A step that was overdue at each look since then. */
interface Overdue {
  readonly step: CurrentStep;
  readonly sinceMs: number;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  #overdue: readonly Overdue[] = [];
  #cancel = () => {};

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** A run is watched from the end of its start until its stop, which has limits of its own. */
  observe(event: LifecycleEvent): void {
    if (event.event === 'lifecycle.running') this.start();
    if (event.event === 'lifecycle.stopping') this.stop();
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
    this.#overdue = overdue.map((step) => ({ step, sinceMs: this.#sinceWhen(step) ?? now }));
    const found = this.#overdue.find(({ step, sinceMs }) => now - sinceMs >= patienceWith(step));
    if (found)
      stalled(
        found.step,
        now - (Number.isFinite(found.step.latestEnd) ? found.step.latestEnd : found.sinceMs),
      );
    else this.start();
  }

  #sinceWhen({ name, latestEnd }: CurrentStep): number | undefined {
    return this.#overdue.find(({ step }) => step.name === name && step.latestEnd === latestEnd)?.sinceMs;
  }
}

const patienceWith = ({ latestEnd }: CurrentStep): number =>
  Number.isFinite(latestEnd) ? OVERDUE_MS : OVERDUE_WITHOUT_END_MS;
