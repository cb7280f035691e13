/** The status of the run in one line: the step of the start or stop, and otherwise whether polling works. */
import type { Clock } from '../clock.js';
import type { Activity } from '../pipeline.js';
import { count, durationInWords, firstFew } from '../words.js';
import type { ObservedEvent } from './events.js';
import type { Progress } from './progress.js';

export interface StatusTextOptions {
  readonly clock: Clock;
  /** Returns the activity of all bots together. */
  activity(): Activity;
  /** How long Telegram may hold a poll open. */
  readonly pollTimeoutMs: number;
  /** Masks secrets, since everybody on the host may read the status. */
  redact(text: string): string;
}

/** The longest stop reason to show: error messages have any length, and systemd drops messages over 4 KiB. */
const MAX_REASON_LENGTH = 200;

/** How much longer than Telegram may hold it a poll takes before it is shown as late: more than the slowest network. */
const POLL_TOLERANCE_MS = 5_000;

/** The status of one run, derived from its events. */
export class StatusText {
  readonly #progress: Progress;
  readonly #options: StatusTextOptions;
  /** The bots whose locks other processes hold, with the pids of the holders if known. */
  readonly #locked = new Map<number, number | undefined>();
  /** The bots that are connected, with the names that people know them by. */
  readonly #names = new Map<number, string>();
  /** What keeps each bot from polling, and since when, in the clock's milliseconds. */
  readonly #problems = new Map<number, { readonly text: string; readonly since: number }>();
  /** Why bots have ended while the run goes on: `stopped by the program`, or an error's code. */
  readonly #ended = new Map<number, string>();
  #lastPollAt: number | undefined;
  #final: string | undefined;

  constructor(progress: Progress, options: StatusTextOptions) {
    this.#progress = progress;
    this.#options = options;
  }

  /** Returns whether the status should be updated now. `botId` is the bot whose pipeline has emitted the event. */
  observe(event: ObservedEvent, botId: number): boolean {
    const { clock, redact } = this.#options;
    const problem = problemIn(event);
    if (problem !== undefined) {
      if (this.#problems.get(botId)?.text !== problem)
        this.#problems.set(botId, { text: problem, since: clock.now() });
      return true;
    }
    switch (event.event) {
      case 'lifecycle.starting':
      case 'hook.starting':
      case 'lifecycle.running':
      case 'lifecycle.stopping':
      case 'hook.stopping':
        return true;
      case 'lifecycle.stopped':
        // Redacted before it is shortened, because a part of a secret would not be recognized.
        this.#final = `stopped (${shortened(redact(event.reason.message))}), exit code ${event.exitCode}`;
        return true;
      case 'lock.waiting':
        this.#locked.set(event.bot, event.holder);
        return true;
      case 'lock.acquired':
        return this.#locked.delete(event.bot);
      case 'bot.stopping':
        this.#end(event.bot, 'stopped by the program');
        return true;
      case 'bot.failed':
        if (event.error.code !== 'BOT_ALREADY_POLLED') this.#end(event.bot, event.error.code);
        return true;
      case 'poll.connected':
        this.#ended.delete(botId);
        this.#names.set(botId, event.username === undefined ? `account ${event.id}` : `@${event.username}`);
        return true;
      case 'poll.answered':
        this.#lastPollAt = clock.now();
        return false;
      case 'poll.started':
      case 'poll.recovered':
      case 'inbox.opened':
      case 'inbox.resumed':
        this.#problems.delete(botId);
        return true;
      default:
        return false;
    }
  }

  /** The current status, without secrets. */
  get current(): string {
    return this.#final ?? this.#options.redact(this.#compose());
  }

  #compose(): string {
    const { clock, activity, pollTimeoutMs } = this.#options;
    const progress = this.#progress;
    const now = clock.now();
    const { running } = activity();

    if (progress.phase === 'stopping') {
      const { name, latestEnd } = progress.step;
      const handlers = name === 'draining' ? ` ${count(running, 'handler')},` : '';
      return `${name}:${handlers} ${inSeconds(Math.max(0, latestEnd - now))} left`;
    }
    const [holder] = this.#locked.values();
    if (this.#locked.size > 0 && this.#names.size === 0 && this.#ended.size === 0)
      return `standing by, ${holder === undefined ? 'another process' : `process ${holder}`} polls`;
    if (progress.phase === 'starting') return progress.step.name;

    const handlers = inWords(activity());
    for (const [botId, { text, since }] of this.#problems)
      return `${this.#prefixOf(botId)}${text} for ${inSeconds(now - since)}, ${handlers}`;
    if (this.#names.size === 0 && this.#ended.size > 0)
      return `no bot is polled (${this.#absentBots()}), ${handlers}`;
    if (this.#lastPollAt === undefined) return 'connecting to Telegram';
    const names = [...this.#names.values()].join(', ');
    const silentMs = now - this.#lastPollAt;
    const isLate = silentMs > pollTimeoutMs + POLL_TOLERANCE_MS;
    const absent = this.#absentBots();
    return `polling as ${names}, ${handlers}${isLate ? `, last poll ${inSeconds(silentMs)} ago` : ''}${absent && ` (${absent})`}`;
  }

  #end(botId: number, why: string): void {
    this.#ended.set(botId, why);
    this.#names.delete(botId);
    this.#problems.delete(botId);
    this.#locked.delete(botId);
  }

  /** Names the bots that are not polled although the program has launched them. */
  #absentBots(): string {
    const locked = [...this.#locked.keys()].map((bot) => `bot ${bot}: standing by`);
    const ended = [...this.#ended].map(([bot, why]) => `bot ${bot}: ${why}`);
    return firstFew([...locked, ...ended], 5);
  }

  /** Returns a prefix that names the bot with a problem; empty if there is only one bot. */
  #prefixOf(botId: number): string {
    const name = this.#names.get(botId);
    if (this.#names.size === (name === undefined ? 0 : 1)) return '';
    return `${name ?? `bot ${botId}`}: `;
  }
}

/** Formats counts, such as `3 running, 120 handled, 2 failed (2 dead)`. Leaves out what is zero, unless that is all there is. */
function inWords({ running, handled, waiting, putBack, dead, ...ended }: Activity): string {
  const { caught, failed, timedOut, expired } = ended;
  const failures = nonZero([
    [caught, 'caught'],
    [failed, 'failed'],
    [timedOut, 'timed out'],
    [expired, 'expired'],
  ]);
  const kept = nonZero([[dead, 'dead']]);
  const bad = failures === '' || kept === '' ? [failures, kept] : [`${failures} (${kept})`];
  const good = handled > 0 || failures === '' ? `${handled} handled` : '';
  const still = nonZero([
    [waiting, 'waiting'],
    [putBack, 'put back'],
  ]);
  return [`${running} running`, good, ...bad, still].filter((part) => part !== '').join(', ');
}

const nonZero = (counts: readonly (readonly [number: number, what: string])[]): string =>
  counts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join(', ');

/** Returns the problem that an event reports, if the problem keeps the bot from polling. */
function problemIn(event: ObservedEvent): string | undefined {
  switch (event.event) {
    case 'poll.failed':
      return event.class === 'unreachable' ? 'Telegram unreachable' : 'token refused';
    case 'poll.token-doubted':
      return 'token refused';
    case 'poll.rate-limited':
      return 'rate-limited by Telegram';
    case 'poll.conflict':
      return event.by === 'webhook' ? 'a webhook is set' : 'another program polls';
    case 'poll.rejected':
      return 'poll rejected by Telegram';
    case 'inbox.paused':
      return event.because === 'disk' ? 'disk nearly full' : 'inbox full';
    case 'inbox.waiting':
      return 'the inbox may be in use elsewhere';
    default:
      return undefined;
  }
}

/** Formats a duration in whole seconds or larger units. */
const inSeconds = (ms: number): string =>
  ms < 59_500 ? `${Math.round(ms / 1_000)} s` : durationInWords(Math.round(ms / 1_000) * 1_000);

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}…` : line;
}
