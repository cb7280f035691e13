/**
 * Answers those who look at the run from outside, on one socket for each bot. It begins once the first poll is answered, so
 * that it costs the start nothing, and at the latest after a second, so that a start that hangs can be looked at, too.
 */
import { join } from 'node:path';
import type { HostEvent } from '../../host/events.js';
import type { ObservedEvent } from '../events.js';
import { type LevelRequest, parseLevelRequest } from './level-request.js';
import type { StatusReport } from './report.js';
import { type ReporterOptions, StatusReporter } from './reporter.js';
import type { Answer, StatusServer } from './server.js';
import { ownSocket, SOCKET } from './socket-name.js';

export interface StatusOptions extends ReporterOptions {
  /** The folder that has one folder a bot in it; undefined where there is no place for one. */
  readonly stateDir: string | undefined;
  /** Masks secrets. */
  redact(text: string): string;
  /** Changes the level of the log for a time; undefined where the log is the embedding program's. */
  readonly changeLevel: ((request: LevelRequest) => void) | undefined;
  emit(event: HostEvent): void;
}

const BEGIN_WITHIN_MS = 1_000;
/** The next poll and the first handlers come first. */
const AFTER_POLL_MS = 50;

interface Listener {
  readonly bot: number;
  readonly names: readonly string[];
  server?: StatusServer;
}

export class Status {
  readonly #options: StatusOptions;
  readonly #reporter: StatusReporter;
  /** By the keys of the bots. */
  readonly #listeners = new Map<string, Listener>();
  #state: 'waiting' | 'listening' | 'closed' = 'waiting';
  #cancelBegin: (() => void) | undefined;

  constructor(options: StatusOptions) {
    this.#options = options;
    this.#reporter = new StatusReporter(options);
  }

  /** @param botId the bot whose pipeline has emitted the event */
  observe(event: ObservedEvent, botId?: number): void {
    this.#reporter.observe(event, botId);
    if (event.event === 'lifecycle.starting') this.#beginWithin(BEGIN_WITHIN_MS);
    if (
      event.event === 'poll.started' ||
      event.event === 'lock.waiting' ||
      event.event === 'inbox.standing-by'
    )
      this.#beginWithin(AFTER_POLL_MS);
  }

  get phase(): StatusReport['phase'] {
    return this.#reporter.phase;
  }

  /** The reports of all bots as of now, by the bots' keys. They may contain secrets, in the words of others. */
  get reports(): readonly (readonly [key: string, report: StatusReport])[] {
    return [...this.#listeners].map(([key, { bot }]) => [key, this.#reporter.report(bot, key)]);
  }

  /** Another process runs the bot. */
  standBy(bot: number, key: string): void {
    this.#listen(key, { bot, names: [ownSocket(this.#options.pid)] });
  }

  /** This process runs the bot, perhaps beside others that share it: the first of them has the first name. */
  hold(bot: number, key: string): void {
    this.#listen(key, { bot, names: [SOCKET, ownSocket(this.#options.pid)] });
  }

  /** The bot has ended, while the run may go on. Call it while the bot's lock is held. */
  release(key: string): void {
    this.#listeners.get(key)?.server?.close();
    this.#listeners.delete(key);
  }

  /** Call it while the locks are held. */
  close(): void {
    this.#state = 'closed';
    this.#cancelBegin?.();
    for (const key of [...this.#listeners.keys()]) this.release(key);
  }

  #beginWithin(ms: number): void {
    if (this.#state !== 'waiting') return;
    this.#cancelBegin?.();
    this.#cancelBegin = this.#options.clock.after(ms, () => {
      this.#state = 'listening';
      for (const [key, listener] of this.#listeners) void this.#open(key, listener);
    });
  }

  #listen(key: string, listener: Listener): void {
    if (this.#state === 'closed') return;
    this.release(key);
    this.#listeners.set(key, listener);
    if (this.#state === 'listening') void this.#open(key, listener);
  }

  async #open(key: string, listener: Listener): Promise<void> {
    const { stateDir, redact, emit } = this.#options;
    if (stateDir === undefined) return;
    const folder = join(stateDir, key);
    const { bot, names } = listener;
    try {
      const { StatusServer } = await import('./server.js');
      if (this.#listeners.get(key) !== listener) return;
      const answer = (request: string, body: unknown) => this.#answer(request, body, bot, key);
      listener.server = new StatusServer({ folder, names, answer, redact });
      await listener.server.listen();
    } catch (error) {
      emit({ event: 'status.unavailable', bot, path: join(folder, SOCKET), error });
    }
  }

  #answer(request: string, body: unknown, bot: number, key: string): Answer {
    if (request === 'GET /status') return { status: 200, body: this.#reporter.report(bot, key) };
    if (request === 'POST /log') return this.#answerLevel(body);
    return { status: 404, body: { error: 'expected GET /status or POST /log' } };
  }

  #answerLevel(body: unknown): Answer {
    const { pid, changeLevel } = this.#options;
    const request = parseLevelRequest(body);
    if (!request) return { status: 400, body: { error: 'expected {"level": …, "forMs": …}' } };
    if (!changeLevel) return { status: 409, body: { error: "the log is the program's own" } };
    changeLevel(request);
    return { status: 200, body: { pid } };
  }
}
