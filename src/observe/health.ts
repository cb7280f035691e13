/** Informs the supervisor: readiness, stop, time needed, status, and watchdog pings while the run makes progress. */
import type { Clock } from '../clock.js';
import type { Supervisor } from '../host/supervisor.js';
import type { ObservedEvent } from './events.js';
import { Progress } from './progress.js';
import { StatusText, type StatusTextOptions } from './status-text.js';

export interface HealthOptions extends StatusTextOptions {
  readonly supervisor: Supervisor;
  /** Times the pings: the supervisor's time goes on while the process stands still, which `clock` leaves out. */
  readonly supervisorClock?: Clock;
}

/** How often the status is updated; a watchdog may require a shorter interval. */
const MAX_INTERVAL_MS = 5_000;

/** How many intervals fit into the time of the watchdog, so that two late pings are harmless. */
const INTERVALS_PER_WATCHDOG = 3;

/** The time to ask for beyond the end of a step, so that the process can write its last log lines and exit. */
const EXIT_ALLOWANCE_MS = 2_000;

/** Reports the state of one run to its supervisor. */
export class Health {
  readonly #supervisor: Supervisor;
  readonly #clock: Clock;
  readonly #supervisorClock: Clock;
  readonly #progress: Progress;
  readonly #statusText: StatusText;
  readonly #intervalMs: number;
  #ready = false;
  #lastStatus: string | undefined;
  #cancelInterval: () => void = () => {};

  constructor(options: HealthOptions) {
    const { supervisor, clock, supervisorClock = clock, activity } = options;
    this.#supervisor = supervisor;
    this.#clock = clock;
    this.#supervisorClock = supervisorClock;
    this.#progress = new Progress(clock, () => activity().latestEnd);
    this.#statusText = new StatusText(this.#progress, options);
    const { watchdogMs = Number.POSITIVE_INFINITY } = supervisor;
    this.#intervalMs = Math.min(MAX_INTERVAL_MS, watchdogMs / INTERVALS_PER_WATCHDOG);
  }

  /** @param botId the bot whose pipeline has emitted the event; not needed for other events */
  observe(event: ObservedEvent, botId = 0): void {
    this.#progress.observe(event);
    const isNews = this.#statusText.observe(event, botId);
    this.#report(event);
    if (isNews) this.#updateStatus();
  }

  /** Ends the regular updates, as `lifecycle.stopped` does. */
  close(): void {
    this.#cancelInterval();
  }

  #report(event: ObservedEvent): void {
    switch (event.event) {
      case 'lifecycle.starting':
        this.#onInterval();
        break;
      case 'hook.starting':
        this.#supervisor.extend?.(event.limitMs + EXIT_ALLOWANCE_MS);
        break;
      case 'lifecycle.running':
        this.#extendUntilReady();
        break;
      case 'lock.waiting':
      case 'poll.started':
        if (!this.#ready) this.#supervisor.ready();
        this.#ready = true;
        break;
      case 'lifecycle.stopping':
        this.#supervisor.stopping?.();
        this.#supervisor.extend?.(event.budgetMs + EXIT_ALLOWANCE_MS);
        break;
      case 'process.stood-still':
        // The supervisor's time for the start or the stop has gone on meanwhile.
        if (this.#progress.phase === 'running') this.#extendUntilReady();
        else this.#supervisor.extend?.(this.#progress.latestEnd() - this.#clock.now() + EXIT_ALLOWANCE_MS);
        break;
      case 'lifecycle.stopped':
        this.close();
        break;
    }
  }

  #onInterval(): void {
    this.#cancelInterval = this.#supervisorClock.after(this.#intervalMs, () => this.#onInterval());
    this.#updateStatus();
    if (this.#progress.isStalled) return;
    if (this.#supervisor.watchdogMs !== undefined) this.#supervisor.ping?.();
    this.#extendUntilReady();
  }

  /** Asks for more time until the bot is ready, since Telegram may be unreachable for any length of time. */
  #extendUntilReady(): void {
    if (this.#progress.phase === 'running' && !this.#ready)
      this.#supervisor.extend?.(INTERVALS_PER_WATCHDOG * this.#intervalMs + EXIT_ALLOWANCE_MS);
  }

  #updateStatus(): void {
    const status = this.#statusText.current;
    if (status === this.#lastStatus) return;
    this.#lastStatus = status;
    this.#supervisor.status(status);
  }
}
