/**
 * Limits the stages of a call one by one: what ends a call is that nothing happens for too long, not that it takes long in
 * all. A line of 8 kB/s needs a minute for a batch that is on its way all the time.
 */
import type { Clock } from '../../clock.js';

export interface Stage {
  /** What is waited for, as in `no X within 10 s`. */
  readonly awaits: string;
  readonly limitMs: number;
}

export interface StageTimerOptions {
  readonly clock: Clock;
  /** Called whenever it is known that the call goes on for up to this long. */
  readonly alive: (ms: number) => void;
  /** Called when nothing has happened in a stage for as long as it may last. */
  readonly overdue: (stage: Stage) => void;
}

export class StageTimer {
  readonly #options: StageTimerOptions;
  #stage: Stage | undefined;
  #movedAt = 0;
  #cancel = () => {};

  constructor(options: StageTimerOptions) {
    this.#options = options;
  }

  /** Begins a stage, which ends the one before. */
  begin(stage: Stage): void {
    this.end();
    this.#stage = stage;
    this.moved();
    this.#wait(stage, stage.limitMs);
  }

  /** Gives the stage its time again, because something has happened. Costs no timer, since bytes come often. */
  moved(): void {
    this.#movedAt = this.#options.clock.now();
  }

  end(): void {
    this.#cancel();
    this.#stage = undefined;
  }

  #wait(stage: Stage, ms: number): void {
    const { clock, alive, overdue } = this.#options;
    alive(ms);
    this.#cancel = clock.after(ms, () => {
      const leftMs = this.#movedAt + stage.limitMs - clock.now();
      if (leftMs > 0) this.#wait(stage, leftMs);
      else if (this.#stage === stage) overdue(stage);
    });
  }
}
