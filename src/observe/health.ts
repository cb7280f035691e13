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
  /** How long the supervisor waits for the first poll while Telegram is unreachable. */
  readonly readyWithinMs: number;
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
  readonly #readyWithinMs: number;
  #ready = false;
  /** When everything but polling had started, in the clock's milliseconds. */
  #runningSince: number | undefined;
  #cancelReady: (() => void) | undefined;
  #lastStatus: string | undefined;
  #cancelInterval: () => void = () => {};

  constructor(options: HealthOptions) {
    const { supervisor, clock, supervisorClock = clock, activity, readyWithinMs } = options;
    this.#readyWithinMs = readyWithinMs;
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

  /** Whether a step of the run should have ended long ago: a watchdog gets no sign of life then. */
  get isStalled(): boolean {
    return this.#progress.isStalled;
  }

  /** Ends the regular updates, as `lifecycle.stopped` does. */
  close(): void {
    this.#cancelInterval();
    this.#cancelReady?.();
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
        this.#runningSince = this.#clock.now();
        this.#extendUntilReady();
        break;
      case 'lock.waiting':
      case 'inbox.standing-by':
      case 'poll.started':
        this.#becomeReady();
        break;
      case 'poll.failed':
        if (event.class === 'unreachable') this.#becomeReadyInTime();
        break;
      case 'poll.rate-limited':
        this.#becomeReadyInTime();
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

  #becomeReady(): void {
    if (!this.#ready) this.#supervisor.ready();
    this.#ready = true;
    this.#cancelReady?.();
  }

  /** An outage of Telegram must not hold up those who wait for the start: a deploy script, or the boot of the host. */
  #becomeReadyInTime(): void {
    if (this.#ready || this.#cancelReady) return;
    const now = this.#clock.now();
    const dueAt = (this.#runningSince ?? now) + this.#readyWithinMs;
    this.#cancelReady = this.#clock.after(Math.max(0, dueAt - now), () => {
      if (this.#progress.phase === 'running') this.#becomeReady();
    });
  }

  #onInterval(): void {
    this.#cancelInterval = this.#supervisorClock.after(this.#intervalMs, () => this.#onInterval());
    this.#updateStatus();
    if (this.#progress.isStalled) return;
    if (this.#supervisor.watchdogMs !== undefined) this.#supervisor.ping?.();
    this.#extendUntilReady();
  }

  /** Asks for more time until the bot is ready: the first answer of Telegram has no part in START_TIMEOUT. */
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
