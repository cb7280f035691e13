/** The status of the run in one line: the step of the start or stop, and otherwise whether polling works. */
import type { Clock } from '../clock.js';
import type { Activity } from '../pipeline-gauges.js';
import { count, durationInWords, firstFew } from '../words.js';
import { BotConditions } from './bot-conditions.js';
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
export const POLL_TOLERANCE_MS = 5_000;

/** The status of one run, derived from its events. */
export class StatusText {
  readonly #progress: Progress;
  readonly #options: StatusTextOptions;
  readonly #bots: BotConditions;
  #final: string | undefined;

  constructor(progress: Progress, options: StatusTextOptions) {
    this.#progress = progress;
    this.#options = options;
    this.#bots = new BotConditions(options.clock);
  }

  /** Returns whether the status should be updated now. `botId` is the bot whose pipeline has emitted the event. */
  observe(event: ObservedEvent, botId: number): boolean {
    const isNews = this.#bots.observe(event, botId);
    switch (event.event) {
      case 'lifecycle.starting':
      case 'hook.starting':
      case 'lifecycle.running':
      case 'lifecycle.stopping':
      case 'hook.stopping':
        return true;
      case 'lifecycle.stopped':
        // Redacted before it is shortened, because a part of a secret would not be recognized.
        this.#final = `stopped (${shortened(this.#options.redact(event.reason.message))}), exit code ${event.exitCode}`;
        return true;
      default:
        return isNews;
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
    const { locked, standingBy, names, problems, ended, lastPolls } = this.#bots;
    const [lock] = locked.values();
    if (lock && names.size === 0 && ended.size === 0)
      return `standing by, ${lock.holder === undefined ? 'another process' : `process ${lock.holder}`} polls`;
    if (progress.phase === 'starting') return progress.step.name;

    const handlers = inWords(activity());
    for (const [botId, { text, since }] of problems)
      return `${this.#prefixOf(botId)}${text} for ${inSeconds(now - since)}, ${handlers}`;
    if (names.size === 0 && ended.size > 0) return `no bot is polled (${this.#absentBots()}), ${handlers}`;
    if (standingBy.size > 0 && standingBy.size === names.size) {
      const [elsewhere] = standingBy.values();
      const holder = elsewhere?.holder;
      return `standing by to poll${holder === undefined ? '' : ` (${holder} polls)`}, ${handlers}`;
    }
    if (lastPolls.size === 0) return 'connecting to Telegram';
    const polled = [...names.values()].join(', ');
    const silentMs = now - Math.max(...[...lastPolls.values()].map(({ at }) => at));
    const isLate = silentMs > pollTimeoutMs + POLL_TOLERANCE_MS;
    const absent = this.#absentBots();
    return `polling as ${polled}, ${handlers}${isLate ? `, last poll ${inSeconds(silentMs)} ago` : ''}${absent && ` (${absent})`}`;
  }

  /** Names the bots that are not polled although the program has launched them. */
  #absentBots(): string {
    const locked = [...this.#bots.locked.keys()].map((bot) => `bot ${bot}: standing by`);
    const ended = [...this.#bots.ended].map(([bot, why]) => `bot ${bot}: ${why}`);
    return firstFew([...locked, ...ended], 5);
  }

  /** Returns a prefix that names the bot with a problem; empty if there is only one bot. */
  #prefixOf(botId: number): string {
    const { names } = this.#bots;
    const name = names.get(botId);
    if (names.size === (name === undefined ? 0 : 1)) return '';
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

/** Formats a duration in whole seconds or larger units. */
const inSeconds = (ms: number): string =>
  ms < 59_500 ? `${Math.round(ms / 1_000)} s` : durationInWords(Math.round(ms / 1_000) * 1_000);

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}…` : line;
}
