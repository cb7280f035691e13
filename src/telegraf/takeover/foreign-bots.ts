/**
 * Refuses what polls in a program without being a bot of Telegraf 4 that lastcall has taken over: bots of Telegraf 3 and of
 * other libraries, and bots in worker threads and child processes. Nothing of it is sent to Telegram.
 *
 * A program that has a bot for lastcall to poll may do as it likes beside it, as under `node`.
 */
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isTelegraf3, telegrafClassOf } from '../internals.js';
import { libraryAmong, ownFileAmong, shortPath } from './bot-library.js';
import { Children, type PollingChild } from './children.js';
import { type HeldPoll, holdPolls } from './held-polls.js';
import { Patches } from './patches.js';

export interface ForeignBotsOptions {
  readonly clock: Clock;
  /** Called with FOREIGN_BOT or BOT_ELSEWHERE. The run should end. */
  refused(error: LastcallError): void;
}

/** How long a program with a copy of Telegraf 4 has to launch a bot of its own once a child of it wants to poll. */
const LAUNCH_PATIENCE_MS = 2_000;

type Telegraf3Class = { readonly prototype: object };

export class ForeignBots {
  readonly #options: ForeignBotsOptions;
  readonly #polls = new Patches();
  readonly #launches = new Patches();
  readonly #children = new Children((child) => this.#heldChild(child));
  readonly #waiting: PollingChild[] = [];
  readonly #versions = new WeakMap<object, string>();
  #mayLaunch = false;
  #hasLaunched = false;
  #hasRefused = false;
  #cancelPatience = () => {};

  constructor(options: ForeignBotsOptions) {
    this.#options = options;
    holdPolls((poll) => this.#refusePoll(poll), this.#polls);
  }

  /** Whether the program has been refused: it has launched no bot, and it waits for polls that will never be sent. */
  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  /** To be called when a copy of Telegraf 4 has been found: the program may launch a bot of it after calls of its own. */
  mayLaunch(): void {
    this.#mayLaunch = true;
    this.#polls.undo();
  }

  /** To be called when a bot of Telegraf 4 is launched. */
  launched(): void {
    this.#hasLaunched = true;
    this.#cancelPatience();
    this.#polls.undo();
    this.#children.release();
    for (const child of this.#waiting.splice(0)) child.goOn();
  }

  /** Refuses the launches of Telegraf 3 from now on. */
  refuseVersion3(telegraf3Class: Telegraf3Class, version: string): void {
    const { prototype } = telegraf3Class;
    this.#versions.set(telegraf3Class, version);
    for (const method of ['launch', 'startPolling', 'startWebhook']) {
      const original: unknown = Reflect.get(prototype, method);
      if (typeof original !== 'function') continue;
      const patches = this.#launches;
      // Beside a bot that lastcall runs, others are the program's own affair.
      const isRefused = () => patches.active && !this.#hasLaunched;
      const refuse = () => {
        this.#refuseTelegraf3(version);
        return new Promise(() => {});
      };
      patches.replace(prototype, method, function (this: unknown, ...args: unknown[]) {
        return isRefused() ? refuse() : Reflect.apply(original, this, args);
      });
    }
  }

  /** Whether a bot that the program exports is none of Telegraf 4, which is refused. */
  refuses(bot: object): boolean {
    if (!isTelegraf3(bot)) return false;
    this.#refuseTelegraf3(this.#versions.get(telegrafClassOf(bot)) ?? '3');
    return true;
  }

  restore(): void {
    this.#cancelPatience();
    this.#polls.undo();
    this.#launches.undo();
    this.#children.close();
  }

  #refuseTelegraf3(version: string): void {
    this.#refuse('FOREIGN_BOT', `${program()} runs a bot of Telegraf ${version}; lastcall runs Telegraf 4`);
  }

  #refusePoll({ files }: HeldPoll): void {
    const library = libraryAmong(files);
    const file = ownFileAmong(files);
    this.#refuse(
      'FOREIGN_BOT',
      library === undefined
        ? `${program()} fetches updates by itself${file === undefined ? '' : ` (getUpdates in ${file})`}; lastcall runs bots of Telegraf 4`
        : `${program()} fetches updates with ${library}; lastcall runs bots of Telegraf 4`,
    );
  }

  #heldChild(child: PollingChild): void {
    if (this.#hasLaunched) {
      child.goOn();
      return;
    }
    this.#waiting.push(child);
    // The first one decides.
    if (this.#waiting.length > 1) return;
    const refuse = () => this.#refuseChild(child);
    if (this.#mayLaunch) this.#cancelPatience = this.#options.clock.after(LAUNCH_PATIENCE_MS, refuse);
    else refuse();
  }

  #refuseChild({ file, isThread }: PollingChild): void {
    const place = isThread ? 'a worker thread' : 'another process';
    const started = file === undefined ? 'a bot' : shortPath(file);
    this.#refuse(
      'BOT_ELSEWHERE',
      `${program()} has started ${started === program() ? 'itself' : started} in ${place}, where it fetches updates; lastcall polls only bots of the process it runs`,
    );
  }

  #refuse(code: 'FOREIGN_BOT' | 'BOT_ELSEWHERE', message: string): void {
    if (this.#hasRefused || this.#hasLaunched) return;
    this.#hasRefused = true;
    this.#options.refused(new LastcallError(code, program(), message));
  }
}

/** The file that lastcall runs. */
const program = (): string => shortPath(process.argv[1] ?? '');
