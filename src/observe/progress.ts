/** Tells whether the current step of the run has stalled. Waiting for an unreachable network does not count. */
import type { Clock } from '../clock.js';
import type { ObservedEvent } from './events.js';

/** How far a step may overrun its latest end, since timers fire late on a busy event loop. */
const OVERRUN_TOLERANCE_MS = 5_000;

/** The step of a start or a stop that the run is in. */
export interface CurrentStep {
  /** The name to show to operators, such as `starting bot` or `draining`. */
  readonly name: string;
  /** When the step must have ended, in the clock's milliseconds. */
  readonly latestEnd: number;
}

/** The phase and the current step of one run. */
export class Progress {
  readonly #clock: Clock;
  readonly #runningLatestEnd: () => number;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #step: CurrentStep = { name: 'starting', latestEnd: Number.POSITIVE_INFINITY };
  /** The latest end of the current step of the start, or of the whole stop. */
  #latestEnd = Number.POSITIVE_INFINITY;

  /** @param runningLatestEnd returns the latest end of the current step while the run is in the phase `running` */
  constructor(clock: Clock, runningLatestEnd: () => number) {
    this.#clock = clock;
    this.#runningLatestEnd = runningLatestEnd;
  }

  get phase(): 'starting' | 'running' | 'stopping' {
    return this.#phase;
  }

  /** The current step of the start or the stop; has no meaning in the phase `running`. */
  get step(): CurrentStep {
    return this.#step;
  }

  observe(event: ObservedEvent): void {
    const now = this.#clock.now();
    switch (event.event) {
      case 'hook.starting':
        this.#latestEnd = now + event.limitMs;
        this.#step = { name: `starting ${event.hook}`, latestEnd: this.#latestEnd };
        break;
      case 'lifecycle.running':
        this.#phase = 'running';
        break;
      case 'lifecycle.stopping':
        this.#phase = 'stopping';
        this.#latestEnd = now + event.budgetMs;
        this.#step = { name: 'stopping', latestEnd: this.#latestEnd };
        break;
      case 'hook.stopping':
        this.#step = {
          name: event.hook === 'drain' ? 'draining' : `stopping ${event.hook}`,
          latestEnd: now + event.limitMs,
        };
        break;
    }
  }

  get isStalled(): boolean {
    return this.#clock.now() > this.latestEnd() + OVERRUN_TOLERANCE_MS;
  }

  /** When the current step of the start, the run, or the whole stop must have ended, in the clock's milliseconds. */
  latestEnd(): number {
    return this.#phase === 'running' ? this.#runningLatestEnd() : this.#latestEnd;
  }
}
