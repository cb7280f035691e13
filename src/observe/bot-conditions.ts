/** What the events of a run tell about each of its bots: who it is, and what keeps it from polling. */
import type { Clock } from '../clock.js';
import type { ObservedEvent } from './events.js';
import type { PollingStatus } from './status/report.js';

/** Whether a bot polls, and else why not. `since` is the clock's milliseconds; undefined if not known. */
export interface PollingCondition extends Pick<PollingStatus, 'state' | 'why' | 'detail' | 'holder'> {
  readonly since?: number;
}

/** What keeps a bot from polling. Times are the clock's milliseconds. */
export interface Problem {
  readonly text: string;
  /** What the system or Telegram said. May contain secrets. */
  readonly detail: string | undefined;
  readonly since: number;
}

/** The last answer to a poll, with or without updates. */
export interface LastPoll {
  readonly at: number;
  readonly updates: number;
}

export class BotConditions {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #locked = new Map<number, { readonly holder: number | undefined; readonly since: number }>();
  readonly #standingBy = new Map<number, { readonly holder: string | undefined; readonly since: number }>();
  readonly #names = new Map<number, string>();
  readonly #problems = new Map<number, Problem>();
  readonly #ended = new Map<number, string>();
  readonly #lastPolls = new Map<number, LastPoll>();
  readonly #pollingSince = new Map<number, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The bots whose locks other processes hold, with the pids of the holders if known, and since when. */
  get locked(): ReadonlyMap<number, { readonly holder: number | undefined; readonly since: number }> {
    return this.#locked;
  }

  /** The bots that processes elsewhere poll, and whose updates are handled here, too. */
  get standingBy(): ReadonlyMap<number, { readonly holder: string | undefined; readonly since: number }> {
    return this.#standingBy;
  }

  /** The bots that are connected, with the names that people know them by. */
  get names(): ReadonlyMap<number, string> {
    return this.#names;
  }

  /** What keeps bots from polling. */
  get problems(): ReadonlyMap<number, Problem> {
    return this.#problems;
  }

  /** Why bots have ended while the run goes on: `stopped by the program`, or an error's code. */
  get ended(): ReadonlyMap<number, string> {
    return this.#ended;
  }

  get lastPolls(): ReadonlyMap<number, LastPoll> {
    return this.#lastPolls;
  }

  /** Since when nothing keeps bots from polling. */
  get pollingSince(): ReadonlyMap<number, number> {
    return this.#pollingSince;
  }

  /** What matters most of all that is known. Undefined `since`: since the run began, or the bot has ended. */
  of(botId: number): PollingCondition {
    const why = this.#ended.get(botId);
    if (why !== undefined) return { state: 'ended', why };
    const lock = this.#locked.get(botId);
    if (lock)
      return {
        state: 'standing-by',
        since: lock.since,
        ...(lock.holder !== undefined && { holder: lock.holder }),
      };
    const problem = this.#problems.get(botId);
    if (problem) {
      const { text, detail, since } = problem;
      return { state: 'hindered', since, why: text, ...(detail !== undefined && { detail }) };
    }
    const turn = this.#standingBy.get(botId);
    if (turn)
      return {
        state: 'standing-by',
        since: turn.since,
        ...(turn.holder !== undefined && { why: turn.holder }),
      };
    const since = this.#pollingSince.get(botId);
    return since === undefined ? { state: 'connecting' } : { state: 'polling', since };
  }

  /** Returns whether a condition has changed. `botId` is the bot whose pipeline has emitted the event. */
  observe(event: ObservedEvent, botId: number): boolean {
    const now = this.#clock.now();
    const problem = problemIn(event);
    if (problem !== undefined) {
      const known = this.#problems.get(botId);
      const since = known?.text === problem ? known.since : now;
      this.#problems.set(botId, { text: problem, detail: detailIn(event), since });
      this.#pollingSince.delete(botId);
      return true;
    }
    switch (event.event) {
      case 'lock.waiting':
        this.#locked.set(event.bot, { holder: event.holder, since: now });
        return true;
      case 'lock.acquired':
        return this.#locked.delete(event.bot);
      case 'inbox.standing-by':
      case 'inbox.turn-lost':
        this.#problems.delete(botId);
        this.#pollingSince.delete(botId);
        this.#standingBy.set(botId, {
          holder: event.event === 'inbox.standing-by' ? event.holder : undefined,
          since: now,
        });
        return true;
      case 'inbox.turn-began':
        this.#standingBy.delete(botId);
        // The first poll is still to come.
        this.#lastPolls.set(botId, { at: now, updates: 0 });
        return true;
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
        this.#lastPolls.set(botId, { at: now, updates: event.count });
        if (!this.#problems.has(botId) && !this.#pollingSince.has(botId)) this.#pollingSince.set(botId, now);
        return false;
      case 'poll.started':
      case 'poll.recovered':
      case 'inbox.opened':
      case 'inbox.reachable':
      case 'inbox.resumed':
        this.#problems.delete(botId);
        if (this.#lastPolls.has(botId) && !this.#pollingSince.has(botId)) this.#pollingSince.set(botId, now);
        return true;
      default:
        return false;
    }
  }

  #end(botId: number, why: string): void {
    this.#ended.set(botId, why);
    for (const known of [this.#names, this.#problems, this.#locked, this.#standingBy, this.#pollingSince])
      known.delete(botId);
  }
}

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
    case 'inbox.unreachable':
      return 'the database of the inbox is out of reach';
    case 'inbox.waiting':
      return 'the inbox may be in use elsewhere';
    default:
      return undefined;
  }
}

const detailIn = (event: ObservedEvent): string | undefined =>
  'detail' in event && typeof event.detail === 'string' ? event.detail : undefined;
