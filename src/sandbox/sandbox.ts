/**
 * A local Bot API server: what a bot under test talks to in Telegram's place, in the same process or another.
 *
 * Faithful in all that concerns delivery: update ids, offsets and forgetting, long polls and how they wake, the rules
 * against hot loops, 409s and how they are spaced, webhooks in the way, `allowed_updates`, expiry, 401, 404 and 429.
 * What it does not model is listed below.
 */
import { type Clock, systemClock } from '../clock.js';
import { Accounts } from './accounts.js';
import type { BotAccount } from './bot-account.js';
import { BotApi } from './bot-api.js';
import { type Call, Calls } from './calls.js';
import { ClosableClock } from './closable-clock.js';
import { Control } from './control.js';
import type { FaultRule } from './fault-rule.js';
import { type ActiveRule, Faults } from './faults.js';
import { HttpServer } from './http-server.js';
import type { Message } from './message.js';
import { startRival } from './rival.js';
import { SandboxBot } from './sandbox-bot.js';
import { seededRandom } from './seeded-random.js';

/** Well-formed, and a bot's nowhere. */
export const SANDBOX_TOKEN = '7000000000:THIS-IS-A-SANDBOX-TOKEN-NOT-SECRET0';

export const NOT_MODELLED = [
  'delivery to webhooks: one can be set, and then stops polling as it should, but nothing is sent to it',
  'rights, membership, privacy mode, blocked bots: a bot may write to any chat, which exists from then on',
  'flood limits (a fault makes 429s), and limits of size other than the length of a text',
  'parse modes: a text is shown as it was sent; of entities there are only commands',
  'files: name and size are noted, the content is dropped, nothing can be downloaded',
  'payments, games, stories, business accounts, forums and inline mode, beyond raw updates and calls answered `true`',
  'service messages of groups, and updates that come of what the bot itself does',
  'TLS, HTTP/2, several data centres: it speaks plain HTTP/1.1 on 127.0.0.1, and keeps everything in memory',
] as const;

const DEFAULT_SEED = 1;
const DEFAULT_RECORDED_CALLS = 10_000;
const DEFAULT_PATIENCE_MS = 10_000;

export interface SandboxOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** The only valid tokens; the first becomes `token`. Default: every well-formed one is a bot's at its first use. */
  readonly tokens?: readonly string[];
  /** For update ids and the fractions of faults. Default 1. */
  readonly seed?: number;
  /** The first update id of each bot. Default: somewhere between two million and a thousand million, by the seed. */
  readonly firstUpdateId?: number;
  /** Added to every call, half of it on each way. Default 0. */
  readonly roundTripMs?: number;
  /** At least so many of the newest calls are kept, at most twice as many. Default 10,000. */
  readonly recordedCalls?: number;
}

export type SandboxEvent =
  | { readonly event: 'call.arrived'; readonly call: Call }
  /** Answered, or given up by its caller, or lost to a fault. */
  | { readonly event: 'call.over'; readonly call: Call }
  | {
      readonly event: 'message.sent';
      readonly bot: number;
      readonly message: Message;
    };

/** Starts a server on 127.0.0.1. Rejects with the system's error where the port is taken (`EADDRINUSE`). */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = DEFAULT_SEED, tokens, firstUpdateId } = options;
  const clock = new ClosableClock(options.clock ?? systemClock);
  const accounts = new Accounts({
    clock,
    random: seededRandom(seed),
    firstUpdateId,
    tokens,
  });
  const sandbox = new Sandbox({
    clock,
    seed,
    accounts,
    account: accounts.admit(tokens?.[0] ?? SANDBOX_TOKEN),
    calls: new Calls(options.recordedCalls ?? DEFAULT_RECORDED_CALLS),
    closing: new AbortController(),
    roundTripMs: options.roundTripMs ?? 0,
  });
  await sandbox.listen(options.port ?? 0);
  return sandbox;
}

interface Parts {
  readonly clock: ClosableClock;
  readonly seed: number;
  readonly accounts: Accounts;
  readonly account: BotAccount;
  readonly calls: Calls;
  readonly closing: AbortController;
  readonly roundTripMs: number;
}

/** The server, and at the same time its first bot, the one with `token`. */
export class Sandbox extends SandboxBot {
  readonly #parts: Parts;
  readonly #http: HttpServer;
  readonly #api: BotApi;
  readonly #faults: Faults;
  readonly #bots = new Map<BotAccount, SandboxBot>();
  readonly #endings = new Map<number, () => void>();
  readonly #watchers = new Set<(event: SandboxEvent) => void>();
  readonly #checks = new Set<() => void>();

  constructor(parts: Parts) {
    super({ ...parts, closing: parts.closing.signal });
    this.#parts = parts;
    this.#bots.set(parts.account, this);
    this.#faults = new Faults({
      clock: parts.clock,
      seed: parts.seed,
      ended: (id) => this.#ruleEnded(id),
    });
    const control = new Control(this);
    this.#http = new HttpServer((request, body, response) => {
      if (control.isFor(request)) {
        this.#http.spare(response);
        control.receive(request, body, response);
      } else this.#api.receive(request, body, response);
    });
    this.#api = new BotApi({
      ...parts,
      faults: this.#faults,
      http: this.#http,
      sent: (account, message) => {
        this.#bot(account).chats.heard(message);
        this.#tell({ event: 'message.sent', bot: account.id, message });
      },
      called: (call, step) => {
        this.#tell({ event: `call.${step}`, call });
        this.#changed();
      },
      changed: () => this.#changed(),
    });
  }

  get port(): number {
    return this.#http.port;
  }

  /** What a bot takes as `apiRoot`. */
  get apiRoot(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The bot with this token (`/test` behind it: in the test environment). @throws ApiError for a token not valid. */
  bot(token: string): SandboxBot {
    return this.#bot(this.#parts.accounts.admit(token));
  }

  /** The bot with this id, if it was ever spoken of. */
  botById(id: number): SandboxBot | undefined {
    const account = this.#parts.accounts.find(id);
    return account && this.#bot(account);
  }

  /** Puts a fault in force; returns the id by which to end it. @throws RangeError for a rival of a bot never seen. */
  addFault(rule: FaultRule): number {
    const rivalled = rule.kind === 'rival' ? this.#accountOf(rule.bot) : undefined;
    const id = this.#faults.add(rule);
    if (rule.kind === 'refuse') {
      this.#http.refuse();
      this.#endings.set(id, () => void this.#http.accept());
    } else if (rule.kind === 'rival' && rivalled) {
      const { clock } = this.#parts;
      this.#endings.set(id, startRival({ clock, account: rivalled, confirms: rule.confirms ?? false }));
    } else {
      if (rule.kind === 'half-open' && concernsAll(rule)) this.#http.silenceAll();
      this.#api.strikeUnderWay(id);
    }
    this.#changed();
    return id;
  }

  /** Ends one rule, or all. */
  removeFaults(id?: number): void {
    this.#faults.remove(id);
    this.#changed();
  }

  /** The rules in force. */
  faults(): readonly ActiveRule[] {
    return this.#faults.list();
  }

  /** Tells of what happens from now on; the function returned ends it. */
  watch(listener: (event: SandboxEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /**
   * Resolves once the condition holds; it is looked at after every call and its effect. Rejects after `timeoutMs`
   * (default 10,000) with an Error that shows the bot's state, and when the condition throws.
   */
  waitFor(condition: () => boolean, timeoutMs = DEFAULT_PATIENCE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const { clock, closing } = this.#parts;
      const end = (why: string) => {
        stop();
        reject(new Error(`${why}: ${condition} (${JSON.stringify(this.state())})`));
      };
      const onClose = () => end('The sandbox closed while waiting for');
      const stop = () => {
        cancel();
        this.#checks.delete(check);
        closing.signal.removeEventListener('abort', onClose);
      };
      const check = () => {
        try {
          if (!condition()) return;
          resolve();
        } catch (error) {
          reject(error);
        }
        stop();
      };
      const cancel = clock.after(timeoutMs, () => end(`Waited ${timeoutMs} ms in vain for`));
      closing.signal.addEventListener('abort', onClose);
      this.#checks.add(check);
      check();
    });
  }

  /** Used by `startSandbox`. */
  listen(port: number): Promise<void> {
    return this.#http.listen(port);
  }

  /** Ends everything at once: every connection is destroyed, every wait rejects. */
  async close(): Promise<void> {
    this.#parts.closing.abort(new Error('the sandbox is closed'));
    this.#endings.clear();
    this.#parts.clock.close();
    await this.#http.close();
  }

  #bot(account: BotAccount): SandboxBot {
    const known = this.#bots.get(account);
    if (known) return known;
    const { closing } = this.#parts;
    const bot = new SandboxBot({
      ...this.#parts,
      account,
      closing: closing.signal,
    });
    this.#bots.set(account, bot);
    return bot;
  }

  #accountOf(id: number | undefined): BotAccount {
    const { accounts, account } = this.#parts;
    const found = id === undefined ? account : accounts.find(id);
    if (!found) throw new RangeError(`no bot with id ${id} has been seen`);
    return found;
  }

  #ruleEnded(id: number): void {
    this.#endings.get(id)?.();
    this.#endings.delete(id);
    this.#changed();
  }

  #tell(event: SandboxEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  #changed(): void {
    for (const check of [...this.#checks]) check();
  }
}

const concernsAll = ({ method, bot, fraction }: FaultRule): boolean =>
  method === undefined && bot === undefined && fraction === undefined;
