/** A sandbox for a test of one bot. */
import type { Duration } from '../../duration.js';
import { describeThrown } from '../../thrown.js';
import type { Call, CallFilter } from '../calls.js';
import type { FaultRule } from '../fault-rule.js';
import { Sandbox as Server } from '../sandbox.js';
import { kindOf, type NewUpdate, parseUpdates } from '../update-parser.js';
import { AdjustableClock } from './adjustable-clock.js';
import type { BotRun, RunnableBot } from './bot-run.js';
import { BotRuns, failureOf, stillRunning } from './bot-runs.js';
import { Group, type GroupOptions } from './group.js';
import { Heard } from './heard.js';
import { LastAct } from './last-act.js';
import { type SandboxOptions, serverOptions } from './options.js';
import { Person, type PersonOptions } from './person.js';
import { misuse, SandboxError } from './sandbox-error.js';
import { Settling } from './settling.js';
import type { Shared } from './shared.js';
import { durationOf, Waits, type Within } from './waits.js';

/** A fault that is in force. */
export interface Fault {
  /** Ends it, unless it has ended by itself. */
  end(): void;
  [Symbol.dispose](): void;
}

/** A bot that runs. */
export interface RunningBot {
  /**
   * Stops the bot before the sandbox closes, and resolves when it has ended. What people say from then on waits for the next bot.
   *
   * @throws SandboxError BOT_NOT_STOPPED
   */
  stop(): Promise<void>;
  /**
   * Resolves when the bot has ended: with the error that has ended it, or undefined if it had none or was stopped. Whoever
   * asks for it expects the end, so that neither waits nor `close` report the error any more.
   */
  readonly ended: Promise<unknown>;
}

/** The time of a sandbox. It runs with the machine's, and can be put ahead. */
export interface SandboxClock {
  /** Milliseconds since any moment in the past. */
  now(): number;
  /**
   * Puts the clock ahead, by `'24h'`, say: what is due meanwhile happens in the order of its time. It is the clock of Telegram's
   * side alone, for expiry, polls that wait, answers and deletes that come too late and faults that end; the bot's own timers and the time
   * limits of waits go by the clock of the machine, as does the `date` of messages.
   */
  advance(duration: Duration): Promise<void>;
}

const DEFAULT_LIMIT_MS = 3_000;

/** A local Bot API server with people, for the test of one bot. */
export class TestSandbox implements AsyncDisposable {
  readonly #server: Server;
  readonly #clock: AdjustableClock;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #bots: BotRuns;
  readonly #shared: Shared;
  readonly #lastAct: LastAct;
  readonly #limitMs: number;
  readonly #settling: Settling;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(options: SandboxOptions) {
    this.#clock = new AdjustableClock();
    this.#server = new Server(serverOptions(options, this.#clock));
    const { account, changes } = this.#server;
    this.#bots = new BotRuns(this.#server, () => this.#step());
    this.#settling = new Settling(this.#server);
    this.#limitMs = durationOf(options.within ?? DEFAULT_LIMIT_MS, 'within');
    const waits = new Waits({
      limitMs: this.#limitMs,
      onStep: (listener) => this.#onStep(listener),
      closing: this.#closing.signal,
      failed: () => this.#bots.failed,
    });
    this.#shared = {
      server: this.#server,
      account,
      clock: this.#clock,
      heard: new Heard(account, changes),
      waits,
      closing: this.#closing.signal,
      isSettled: () => this.#settling.isSettled,
      settled: (within) => this.settled(within),
    };
    this.#lastAct = new LastAct(this.#shared);
  }

  /** The base URL of the server, which a bot takes as `apiRoot`. In a browser it shows the sandbox's page. */
  get apiRoot(): string {
    return this.#server.apiRoot;
  }

  /** The token of the bot. */
  get token(): string {
    return this.#server.token;
  }

  /** The bot, as people see it. */
  get bot(): { readonly id: number; readonly firstName: string; readonly username: string } {
    const { id, first_name: firstName, username = '' } = this.#server.account.user;
    return { id, firstName, username };
  }

  /**
   * Runs a bot until the sandbox closes, and resolves with its first poll: a bot of Telegraf (`launch`), grammY (`start`) or
   * node-telegram-bot-api (`startPolling`), an app of lastcall (`createApp`), or anything with `start` and `stop`. When the
   * bot ends with an error, so do all waits, until another one is started.
   *
   * @throws SandboxError BOT_NOT_POLLING, BOT_FAILED
   */
  async start(bot: RunnableBot, within: Within = {}): Promise<RunningBot> {
    const { server, waits } = this.#shared;
    const polls = server.callCount('getUpdates');
    const run = this.#bots.start(bot);
    await waits.until(
      () => server.callCount('getUpdates') > polls || undefined,
      within,
      (limitMs) => this.#lastAct.overdue('BOT_NOT_POLLING', `The bot has not polled within ${limitMs} ms`),
      () => failureOf(run),
    );
    return {
      stop: async () => {
        const mayPause = this.#bots.lastPollHasFailed;
        const [left] = await this.#bots.stop(this.#limitMs, [run]);
        if (left) throw notStopped(left, mayPause);
      },
      get ended() {
        return run.expectEnd();
      },
    };
  }

  /** Adds a person, by the first name or with more about them. */
  person(who: string | PersonOptions): Person {
    return new Person(this.#shared, typeof who === 'string' ? { firstName: who } : who);
  }

  /** Adds a group with people and the bot, which is told that it was added. */
  group(options: GroupOptions): Group {
    return new Group(this.#shared, options);
  }

  /**
   * Sends the bot an update of the Bot API as it is, for what people of the sandbox cannot do: `{ channel_post: … }`.
   *
   * @returns the id of the update
   * @throws SandboxError MISUSED, which says what is wrong with it; UPDATE_NOT_WANTED
   */
  async update(update: NewUpdate): Promise<number> {
    const [id] = misuse(
      () => this.#server.addUpdates(parseUpdates([update])),
      'give the update the fields that it has in the Bot API, core.telegram.org/bots/api#update',
    );
    return this.#lastAct.is(kindOf(update), id);
  }

  /** The calls of the bot, oldest first: all, or those of a method. */
  calls(filter: Pick<CallFilter, 'method' | 'since'> = {}): readonly Call[] {
    return this.#server.calls(filter);
  }

  /**
   * Breaks something from now on, until `end()` or as the rule says: `{ kind: 'html', status: 502, method: 'sendMessage', times: 2 }`,
   * `{ kind: 'refuse' }` for a server that cannot be reached.
   *
   * @throws SandboxError MISUSED, which says what is wrong with the rule
   */
  fault(rule: FaultRule): Fault {
    const id = misuse(
      () => this.#server.addFault(rule),
      'correct the rule; npx lastcall sandbox --help lists the kinds and their fields',
    );
    const end = () => this.#server.removeFaults(id);
    return { end, [Symbol.dispose]: end };
  }

  /** The time of the sandbox. */
  get clock(): SandboxClock {
    return {
      now: () => this.#clock.now(),
      advance: (duration) => this.#clock.advance(durationOf(duration, 'duration')),
    };
  }

  /**
   * Resolves when a condition holds, which is looked at after every step of a call.
   *
   * @throws SandboxError NOT_TRUE, which tells what the bot has called; what the condition throws
   */
  async waitFor(condition: () => boolean, within: Within = {}): Promise<void> {
    await this.#shared.waits.until(
      () => condition() || undefined,
      within,
      (limitMs) => this.#lastAct.overdue('NOT_TRUE', `${condition} was not true within ${limitMs} ms`),
    );
  }

  /**
   * Resolves when the bot has settled: it has confirmed all updates, none of its calls is under way, and it waits in a poll
   * for more. A bot that handles updates before it asks for more, as those of Telegraf, grammY and lastcall with the inbox
   * `memory` do, has then handled everything, but for work that its handlers do not wait for. Others, such as those of
   * node-telegram-bot-api or lastcall with its journal, may still be at it.
   *
   * @throws SandboxError NOT_SETTLED, which names what is left over
   */
  async settled(within: Within = {}): Promise<void> {
    await this.#shared.waits.until(
      () => this.#settling.isSettled || undefined,
      within,
      (limitMs) =>
        this.#lastAct.overdue(
          'NOT_SETTLED',
          `The bot has not settled within ${limitMs} ms: ${this.#settling.leftOver.join(', ')}`,
        ),
    );
  }

  /**
   * Ends all faults and waits, stops the bots that were started, and closes the server. May be called more than once. A bot
   * whose last poll a fault has ended may make a pause before it ends, which is not waited for.
   *
   * @throws SandboxError BOT_FAILED if a bot has ended with an error that nobody was told; BOT_NOT_STOPPED
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Listens on the port. @internal */
  async listen(port: number): Promise<void> {
    await this.#server.listen(port);
  }

  async #close(): Promise<void> {
    const failure = this.#bots.failedUntold?.tellFailure();
    const mayPause = this.#bots.lastPollHasFailed;
    this.#closing.abort();
    this.#server.removeFaults();
    const left = await this.#bots.stop(this.#limitMs / 2);
    // A bot that waits for an answer ends when its connections are cut.
    await this.#server.close();
    if (failure) throw failure;
    // One that pauses has taken note of the stop, but may end long after the test.
    const unexplained = left.filter(({ stopError }) => !mayPause || stopError !== undefined);
    const [running] = await stillRunning(this.#limitMs / 2, unexplained);
    if (running) throw notStopped(running, mayPause);
  }

  #onStep(listener: () => void): () => void {
    this.#listeners.add(listener);
    const stopListening = this.#server.onStep(listener);
    return () => {
      this.#listeners.delete(listener);
      stopListening();
    };
  }

  /** Lets all waits look again. */
  #step(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Makes the error of a bot that still runs. It may pause if a fault has ended its last poll. */
function notStopped({ stopError }: BotRun, mayPause: boolean): SandboxError {
  const what = 'The bot still runs, though it was asked to stop';
  if (stopError !== undefined)
    return new SandboxError(
      'BOT_NOT_STOPPED',
      `${what}: its own function for that has failed, ${describeThrown(stopError)}`,
      { nextStep: 'await sandbox.start(bot), so that the bot runs before it is stopped', cause: stopError },
    );
  if (!mayPause) return new SandboxError('BOT_NOT_STOPPED', `${what}.`);
  return new SandboxError(
    'BOT_NOT_STOPPED',
    `${what}: a fault has ended its last poll, and it may make a pause before it looks whether to go on.`,
    { nextStep: 'end the fault and await sandbox.settled() first, or leave the stop to sandbox.close()' },
  );
}
