/**
 * Keeps the supervisor informed: hears what lifecycle, polling, dispatch and the lock tell, and says when the bot is
 * ready, how it does, that a start or a stop goes on, and, to a watchdog, that there is progress.
 *
 * Progress is not a timer that fires: each step of the run has a latest end, and the watchdog is fed as long as the one
 * at work has not passed by more than a few seconds. A network that is down is no reason to be killed, a loop that hangs
 * is.
 */
import type { Clock } from '../clock.js';
import type { HostEvent } from '../host/events.js';
import type { Supervisor } from '../host/supervisor.js';
import type { LifecycleEvent } from '../lifecycle/events.js';
import type { PipelineEvent, Vitals } from '../pipeline.js';
import { count, durationInWords } from '../words.js';

export interface HealthOptions {
  readonly supervisor: Supervisor;
  readonly clock: Clock;
  vitals(): Vitals;
  /** The text with all that is secret masked: everybody on the host may read a status. */
  redact(text: string): string;
}

export type Observed = LifecycleEvent | PipelineEvent | HostEvent;

/** How often the status is brought up to date; the watchdog may call for more. */
const ROUND_MS = 5_000;

/** A watchdog is fed three times in its time, so that it bears two rounds that come late. */
const ROUNDS_A_WATCHDOG = 3;

/** By how much a step may outlast its latest end: a timer that comes late, a busy event loop. */
const LENIENCE_MS = 5_000;

/** What was thrown can be of any length, and systemd drops a message of more than 4 KiB. */
const LONGEST_REASON = 200;

/** What is asked for beyond the end of a step: the process has to write its last lines, and to end. */
const AFTERWARDS_MS = 2_000;

interface Step {
  /** As an operator should read it: `starting bot`, `draining`. */
  readonly name: string;
  readonly latestEnd: number;
}

interface Trouble {
  readonly what: string;
  readonly since: number;
}

export class Health {
  readonly #options: HealthOptions;
  readonly #roundMs: number;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #step: Step | undefined;
  #stopDeadline = Number.POSITIVE_INFINITY;
  #ready = false;
  /** Bots that another process polls, and its pid. */
  readonly #locked = new Map<number, number | undefined>();
  readonly #usernames = new Map<number, string>();
  /** What keeps which bot from polling. */
  readonly #troubles = new Map<number, Trouble>();
  #lastPollAt: number | undefined;
  #said: string | undefined;
  #cancelRound: () => void = () => {};

  constructor(options: HealthOptions) {
    this.#options = options;
    const { watchdogMs = Number.POSITIVE_INFINITY } = options.supervisor;
    this.#roundMs = Math.min(ROUND_MS, watchdogMs / ROUNDS_A_WATCHDOG);
  }

  /** @param bot the id of the bot it is about, for what polling and dispatch tell */
  observe(event: Observed, bot = 0): void {
    if (event.event === 'poll.answered') {
      this.#lastPollAt = this.#options.clock.now();
      return;
    }
    if (this.#note(event, bot)) this.#say();
  }

  /** Tells nothing any more. */
  close(): void {
    this.#cancelRound();
  }

  /** Whether the event is worth a word to the supervisor. */
  #note(event: Observed, bot: number): boolean {
    const { supervisor, clock, redact } = this.#options;
    const now = clock.now();
    switch (event.event) {
      case 'lifecycle.starting':
        this.#round();
        return true;
      case 'hook.starting':
        this.#step = { name: `starting ${event.hook}`, latestEnd: now + event.limitMs };
        supervisor.extend(event.limitMs + AFTERWARDS_MS);
        return true;
      case 'lifecycle.running':
        this.#phase = 'running';
        this.#step = undefined;
        this.#bridge();
        return true;
      case 'lifecycle.stopping':
        this.#phase = 'stopping';
        this.#step = undefined;
        this.#stopDeadline = now + event.budgetMs;
        supervisor.stopping();
        supervisor.extend(event.budgetMs + AFTERWARDS_MS);
        return true;
      case 'hook.stopping':
        this.#step = {
          name: event.hook === 'drain' ? 'draining' : `stopping ${event.hook}`,
          latestEnd: now + event.limitMs,
        };
        return true;
      case 'lifecycle.stopped':
        this.close();
        // Masked before it is cut: half a secret would not be known for one.
        supervisor.status(`stopped (${short(redact(event.reason.message))}), exit code ${event.exitCode}`);
        return false;
      case 'lock.waiting':
        this.#locked.set(event.bot, event.holder);
        this.#beReady();
        return true;
      case 'lock.acquired':
        return this.#locked.delete(event.bot);
      case 'poll.connected':
        this.#usernames.set(bot, event.username);
        return true;
      case 'poll.started':
        this.#troubles.delete(bot);
        this.#beReady();
        return true;
      case 'poll.recovered':
        this.#troubles.delete(bot);
        return true;
      case 'poll.failed':
        return this.#trouble(bot, event.class === 'unreachable' ? 'Telegram unreachable' : 'token refused');
      case 'poll.rate-limited':
        return this.#trouble(bot, 'told to wait by Telegram');
      case 'poll.conflict':
        return this.#trouble(
          bot,
          event.by === 'webhook' ? 'a webhook is in the way' : 'another program polls',
        );
      case 'poll.token-doubted':
        return this.#trouble(bot, 'token refused');
      case 'poll.rejected':
        return this.#trouble(bot, 'poll rejected by Telegram');
      case 'inbox.paused':
        return this.#trouble(bot, event.because === 'disk' ? 'disk nearly full' : 'inbox full');
      case 'inbox.waiting':
        return this.#trouble(bot, 'the inbox may be in use elsewhere');
      case 'inbox.opened':
      case 'inbox.resumed':
        this.#troubles.delete(bot);
        return true;
      default:
        return false;
    }
  }

  #trouble(bot: number, what: string): boolean {
    if (this.#troubles.get(bot)?.what !== what)
      this.#troubles.set(bot, { what, since: this.#options.clock.now() });
    return true;
  }

  #beReady(): void {
    this.#ready = true;
    this.#options.supervisor.ready();
  }

  /** At regular intervals, from the start to the end. */
  #round(): void {
    const { supervisor, clock } = this.#options;
    this.#cancelRound = clock.after(this.#roundMs, () => this.#round());
    this.#say();
    if (!this.#progresses()) return;
    if (supervisor.watchdogMs !== undefined) supervisor.ping();
    this.#bridge();
  }

  /** Until the bot is ready, its supervisor is told again and again to wait: attempts go on for ever. */
  #bridge(): void {
    if (this.#phase === 'running' && !this.#ready)
      this.#options.supervisor.extend(ROUNDS_A_WATCHDOG * this.#roundMs + AFTERWARDS_MS);
  }

  #progresses(): boolean {
    return this.#options.clock.now() <= this.#latestEnd() + LENIENCE_MS;
  }

  #latestEnd(): number {
    switch (this.#phase) {
      case 'starting':
        return this.#step?.latestEnd ?? Number.POSITIVE_INFINITY;
      case 'running':
        return this.#options.vitals().latestEnd;
      case 'stopping':
        return this.#stopDeadline;
    }
  }

  #say(): void {
    const text = this.#text();
    if (text === this.#said) return;
    this.#said = text;
    this.#options.supervisor.status(this.#options.redact(text));
  }

  #text(): string {
    const { clock, vitals } = this.#options;
    const now = clock.now();
    const ago = (since: number) => inSeconds(now - since);
    const { running, handled } = vitals();

    if (this.#phase === 'stopping') {
      const { name, latestEnd } = this.#step ?? { name: 'stopping', latestEnd: this.#stopDeadline };
      const handlers = name === 'draining' ? ` ${count(running, 'handler')},` : '';
      return `${name}:${handlers} ${inSeconds(Math.max(0, latestEnd - now))} left`;
    }
    const [holder] = this.#locked.values();
    if (this.#locked.size > 0 && this.#usernames.size === 0)
      return `standing by, ${holder === undefined ? 'another process' : `process ${holder}`} polls`;
    if (this.#phase === 'starting') return this.#step?.name ?? 'starting';

    const [troubled] = this.#troubles;
    const done = `${running} running, ${handled} handled`;
    if (troubled) {
      const [bot, { what, since }] = troubled;
      return `${this.#whose(bot)}${what} for ${ago(since)}, ${done}`;
    }
    if (this.#lastPollAt === undefined) return 'connecting to Telegram';
    const names = [...this.#usernames.values()].map((name) => `@${name}`).join(', ');
    return `polling as ${names}, ${done}, last poll ${ago(this.#lastPollAt)} ago`;
  }

  /** Which bot it is about, where there is another. */
  #whose(bot: number): string {
    const others = [...this.#usernames.keys()].filter((other) => other !== bot);
    if (others.length === 0) return '';
    const username = this.#usernames.get(bot);
    return username === undefined ? `bot ${bot}: ` : `@${username}: `;
  }
}

/** Whole seconds are as fine as a status needs to be. */
const inSeconds = (ms: number): string =>
  ms < 59_500 ? `${Math.round(ms / 1_000)} s` : durationInWords(Math.round(ms / 1_000) * 1_000);

/** As much of a text as fits into a line. */
function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}
