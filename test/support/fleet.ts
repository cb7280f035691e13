/** Several processes with one bot and one database, as on several hosts, and people who write to the bot. */
import type { Daemon, LogLine } from './daemon.js';
import { type BotOptions, openSandbox, runBot, type TestBed } from './delivery.js';

export const FLEET_CHATS = 40;
const HANDLER_MS = 60;

export interface FleetOptions {
  /** The module of the fixtures that each process runs; it tells of what it begins. */
  readonly module?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Fleet implements AsyncDisposable {
  readonly sandbox: TestBed;
  /** Every process that was ever started, in that order. */
  readonly daemons: Daemon[] = [];
  readonly #url: string;
  readonly #options: FleetOptions;
  #said = 0;

  private constructor(sandbox: TestBed, url: string, options: FleetOptions) {
    this.sandbox = sandbox;
    this.#url = url;
    this.#options = options;
  }

  /** @param url the database */
  static async open(url: string, options: FleetOptions = {}): Promise<Fleet> {
    return new Fleet(await openSandbox(), url, options);
  }

  run({ env, ...options }: BotOptions = {}): Daemon {
    const daemon = runBot(this.sandbox, this.#options.module ?? 'deadly', {
      ...options,
      env: {
        INBOX: this.#url,
        HANDLER_MS: `${HANDLER_MS}`,
        STOP_TIMEOUT: '5s',
        MAX_ATTEMPTS: '0',
        ...this.#options.env,
        ...env,
      },
    });
    this.daemons.push(daemon);
    return daemon;
  }

  /** Starts a process, and waits until it handles updates, and polls or stands by. */
  async join(options?: BotOptions): Promise<Daemon> {
    const daemon = this.run(options);
    await daemon.waitFor(({ event }) => event === 'poll.started' || event === 'inbox.standing-by');
    return daemon;
  }

  /** Says so much in each chat. */
  say(messages: number): void {
    for (let n = 0; n < messages; n++)
      for (let chat = 1; chat <= FLEET_CHATS; chat++)
        this.sandbox.say({ chat, text: `message ${this.#said++}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
    await this.sandbox[Symbol.asyncDispose]();
  }
}

/** When a line was written, in milliseconds since 1970. */
export const timeOf = ({ time }: LogLine): number => Date.parse(`${time}`);
