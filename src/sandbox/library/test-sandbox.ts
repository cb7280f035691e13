/** A sandbox for a test of one bot. */
import { systemClock } from '../../clock.js';
import type { Duration } from '../../duration.js';
import { ApiError } from '../api-response.js';
import type { Call, CallFilter } from '../calls.js';
import type { FaultRule } from '../fault-rule.js';
import { Sandbox as Server, type SandboxOptions as ServerOptions } from '../sandbox.js';
import type { NewUpdate } from '../update-parser.js';
import { parseUpdates } from '../update-parser.js';
import { AdjustableClock } from './adjustable-clock.js';
import { BotRun, type RunnableBot } from './bot-run.js';
import { Group, type GroupOptions } from './group.js';
import { Heard } from './heard.js';
import { LastAct } from './last-act.js';
import { Person, type PersonOptions } from './person.js';
import { isPoll } from './report.js';
import { SandboxError } from './sandbox-error.js';
import type { Shared } from './shared.js';
import { durationOf, Waits, type Within } from './waits.js';

/** How to create a sandbox. Everything has a default. */
export interface SandboxOptions {
  /** The token of the bot. Default: one with a random id, so that sandboxes beside each other do not get mixed up. */
  readonly token?: string;
  /** The port to listen on, of 127.0.0.1. Default: any free port. */
  readonly port?: number;
  /** How long a wait may take, unless it says so itself. Default 3 s, so that it ends before a test's own time limit. */
  readonly within?: Duration;
  /** A delay added to every call. Default 0. */
  readonly roundTrip?: Duration;
  /** The seed for update ids and for faults by chance. Default 1. */
  readonly seed?: number;
  /** The first update id. Default: random, from the seed. */
  readonly firstUpdateId?: number;
}

/** A fault that is in force. */
export interface Fault {
  /** Ends it, unless it has ended by itself. */
  end(): void;
  [Symbol.dispose](): void;
}

/** The time of a sandbox. It runs with the machine's, and can be put ahead. */
export interface SandboxClock {
  /** Milliseconds since any moment in the past. */
  now(): number;
  /**
   * Puts the clock ahead, by `'24h'`, say: what is due meanwhile happens in the order of its time. It is the clock of Telegram's
   * side alone, for expiry, polls that wait, answers that come too late and faults that end; the bot's own timers and the time
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
  readonly #runs: BotRun[] = [];
  readonly #shared: Shared;
  readonly #lastAct: LastAct;
  readonly #limitMs: number;
  /** The numbers of the calls that are not over. */
  readonly #inFlight = new Map<number, Call>();
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(options: SandboxOptions) {
    this.#clock = new AdjustableClock();
    this.#server = new Server(serverOptions(options, this.#clock));
    const { account, changes } = this.#server;
    changes.subscribe((change) => {
      if (change.kind !== 'call') return;
      const { call } = change;
      if (!this.#inFlight.delete(call.number)) this.#inFlight.set(call.number, call);
    });
    this.#limitMs = durationOf(options.within ?? DEFAULT_LIMIT_MS, 'within');
    const waits = new Waits({
      limitMs: this.#limitMs,
      onStep: (listener) => this.#onStep(listener),
      closing: this.#closing.signal,
      failure: () => this.#runs.find((run) => run.failure)?.failure,
    });
    this.#shared = {
      server: this.#server,
      account,
      clock: this.#clock,
      heard: new Heard(account, changes),
      waits,
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
   * bot ends with an error, so do all waits.
   *
   * @throws SandboxError BOT_NOT_POLLING, BOT_FAILED
   */
  async start(bot: RunnableBot, within: Within = {}): Promise<void> {
    const { server, waits } = this.#shared;
    const polls = server.callCount('getUpdates');
    this.#runs.push(new BotRun(bot, () => this.#step()));
    await waits.until(
      () => server.callCount('getUpdates') > polls || undefined,
      within,
      (limitMs) => this.#lastAct.overdue('BOT_NOT_POLLING', `The bot has not polled within ${limitMs} ms`),
    );
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
    const [id] = misuse(() => this.#server.addUpdates(parseUpdates([update])));
    this.#lastAct.is(Object.keys(update).find((field) => field !== 'update_id') ?? 'update', id);
    return id ?? 0;
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
    const id = misuse(() => this.#server.addFault(rule));
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
      () => this.#isSettled() || undefined,
      within,
      (limitMs) =>
        this.#lastAct.overdue(
          'NOT_SETTLED',
          `The bot has not settled within ${limitMs} ms: ${this.#leftOver()}`,
        ),
    );
  }

  /**
   * Stops the bots that were started, and closes the server. Ends all waits. May be called more than once.
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
    const failure = this.#runs.find((run) => run.untoldFailure)?.failure;
    this.#closing.abort();
    this.#server.removeFaults();
    // As Telegram does, the server lets the last poll of a bot that stops wait for up to 3 s, which proves nothing here.
    const endPolls = () => {
      if (this.#server.account.getUpdates.waiting) this.#server.account.getUpdates.wake();
    };
    const stopEnding = this.#server.onStep(endPolls);
    const stopped = Promise.all(this.#runs.flatMap((run) => [run.stop(), run.ended]));
    // Half of the time, and the other half once its connections are cut.
    const inTime = await isOver(stopped, this.#limitMs / 2);
    stopEnding();
    await this.#server.close();
    if (failure) throw failure;
    if (!inTime && !(await isOver(stopped, this.#limitMs / 2)))
      throw new SandboxError('BOT_NOT_STOPPED', 'The bot still runs, though it was asked to stop.');
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

  #isSettled(): boolean {
    const { queued, waitingPolls } = this.#server.state();
    return queued === 0 && waitingPolls === 1 && this.#callsInFlight().length === 0;
  }

  #callsInFlight(): readonly Call[] {
    return [...this.#inFlight.values()].filter(({ method }) => !isPoll(method));
  }

  #leftOver(): string {
    const { queued, waitingPolls } = this.#server.state();
    const left = [
      queued > 0 && `${queued} not confirmed`,
      ...this.#callsInFlight().map(({ method }) => `${method} is under way`),
      waitingPolls === 0 && 'it does not wait in a poll',
    ];
    return left.filter((item) => item).join(', ');
  }
}

function serverOptions(
  { token, roundTrip = 0, seed, firstUpdateId }: SandboxOptions,
  clock: AdjustableClock,
): ServerOptions {
  return {
    clock,
    ...(token !== undefined && { token }),
    ...(seed !== undefined && { seed }),
    ...(firstUpdateId !== undefined && { firstUpdateId }),
    roundTripMs: durationOf(roundTrip, 'roundTrip'),
  };
}

/** Returns what the function returns, and makes what it throws about its arguments the error of a misuse. */
export function misuse<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof ApiError)) throw error;
    throw new SandboxError('MISUSED', error.message, { cause: error });
  }
}

/** Whether something ends in time. */
async function isOver(ending: Promise<unknown>, limitMs: number): Promise<boolean> {
  let cancel = () => {};
  const over = new Promise<false>((resolve) => {
    cancel = systemClock.after(limitMs, () => resolve(false));
  });
  const ended = await Promise.race([ending.then(() => true), over]);
  cancel();
  return ended;
}
