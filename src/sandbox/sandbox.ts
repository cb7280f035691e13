/**
 * A local Bot API server, which takes Telegram's place for a bot in the same process or another.
 *
 * It models everything about delivery: update ids, offsets and confirmation, long polls and how they wake, the limits on
 * hot loops, 409 conflicts and their spacing, webhooks, `allowed_updates`, expiry, and the errors 401, 404 and 429.
 * `NOT_MODELLED` lists what it does not model.
 */
import { type Clock, systemClock } from '../clock.js';
import type { BotAccount } from './bot-account.js';
import { BotAccounts } from './bot-accounts.js';
import { BotApi } from './bot-api.js';
import { type Call, Calls } from './calls.js';
import { CancellableClock } from './cancellable-clock.js';
import { Conditions } from './conditions.js';
import { Control } from './control.js';
import type { FaultRule } from './fault-rule.js';
import { type ActiveRule, Faults } from './faults.js';
import { HttpServer } from './http-server.js';
import type { Message } from './message.js';
import { SandboxBot } from './sandbox-bot.js';
import { startSecondPoller } from './second-poller.js';
import { seededRandom } from './seeded-random.js';

/** The token of the sandbox's first bot. It is well-formed, but belongs to no bot of Telegram. */
export const SANDBOX_TOKEN = '7000000000:THIS-IS-A-SANDBOX-TOKEN-NOT-SECRET0';

/** What the sandbox does not model, as sentences for people. */
export const NOT_MODELLED = [
  'delivery to webhooks: a webhook can be set and stops polling as it should, but nothing is sent to it',
  'permissions, membership, privacy mode, blocked bots: a bot may write to any chat, which exists from then on',
  'flood limits (a fault makes 429s), and size limits other than the length of a text',
  'parse modes: a text is shown as it was sent; the only entities are commands',
  'files: name and size are recorded, the content is dropped, nothing can be downloaded',
  'payments, games, stories, business accounts, forums and inline mode, except raw updates and calls answered with `true`',
  'service messages of groups, and updates caused by the bot itself',
  'TLS, HTTP/2, several data centers: the server speaks plain HTTP/1.1 on 127.0.0.1 and keeps everything in memory',
] as const;

const DEFAULT_SEED = 1;
const DEFAULT_RECORDED_CALLS = 10_000;
const DEFAULT_TIMEOUT_MS = 10_000;

export interface SandboxOptions {
  /** The port to listen on. Default 0: any free port. */
  readonly port?: number;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** The valid tokens, of which the first is that of the first bot. Default: every well-formed token is valid. */
  readonly tokens?: readonly string[];
  /** The seed for update ids and for random faults. Default 1. */
  readonly seed?: number;
  /** The first update id of each bot. Default: random, from the seed. */
  readonly firstUpdateId?: number;
  /** A delay added to every call, half of it in each direction. Default 0. */
  readonly roundTripMs?: number;
  /** The number of newest calls to keep; up to twice as many are kept. Default 10,000. */
  readonly recordedCalls?: number;
}

export type SandboxEvent =
  | { readonly event: 'call.arrived'; readonly call: Call }
  /** The call was answered, abandoned by its caller, or ended by a fault. */
  | { readonly event: 'call.over'; readonly call: Call }
  | { readonly event: 'message.sent'; readonly bot: number; readonly message: Message };

/** Starts a server on 127.0.0.1. Rejects with the system's error, such as `EADDRINUSE` for a port that is in use. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { seed = DEFAULT_SEED, tokens, firstUpdateId } = options;
  const clock = new CancellableClock(options.clock ?? systemClock);
  const accounts = new BotAccounts({ clock, random: seededRandom(seed), firstUpdateId, tokens });
  const sandbox = new Sandbox({
    clock,
    seed,
    accounts,
    account: accounts.authenticate(tokens?.[0] ?? SANDBOX_TOKEN),
    calls: new Calls(options.recordedCalls ?? DEFAULT_RECORDED_CALLS),
    closing: new AbortController(),
    roundTripMs: options.roundTripMs ?? 0,
  });
  await sandbox.listen(options.port ?? 0);
  return sandbox;
}

interface Parts {
  readonly clock: CancellableClock;
  readonly seed: number;
  readonly accounts: BotAccounts;
  readonly account: BotAccount;
  readonly calls: Calls;
  readonly closing: AbortController;
  readonly roundTripMs: number;
}

/** The server, which is also the handle of its first bot. */
export class Sandbox extends SandboxBot {
  readonly #parts: Parts;
  readonly #http: HttpServer;
  readonly #api: BotApi;
  readonly #faults: Faults;
  readonly #bots = new Map<BotAccount, SandboxBot>();
  /** By rule id, what undoes a fault of the whole server when the rule ends. */
  readonly #undos = new Map<number, () => void>();
  readonly #listeners = new Set<(event: SandboxEvent) => void>();
  readonly #conditions: Conditions;

  constructor(parts: Parts) {
    const { clock, seed, accounts, account, calls, roundTripMs } = parts;
    const closing = parts.closing.signal;
    super({ clock, account, calls, closing });
    this.#parts = parts;
    this.#bots.set(account, this);
    const describeState = () => JSON.stringify(this.state());
    this.#conditions = new Conditions({ clock, closing, describeState });
    this.#faults = new Faults({ clock, seed, onEnd: (id) => this.#onRuleEnd(id) });
    const control = new Control(this);
    this.#http = new HttpServer((request, body, response) => {
      if (control.isFor(request)) {
        this.#http.exempt(response);
        control.receive(request, body, response);
      } else this.#api.receive(request, body, response);
    });
    this.#api = new BotApi({
      clock,
      accounts,
      calls,
      roundTripMs,
      faults: this.#faults,
      http: this.#http,
      onMessage: (account, message) => {
        this.#bot(account).chats.receive(message);
        this.#tell({ event: 'message.sent', bot: account.id, message });
      },
      onCall: (call, step) => {
        this.#tell({ event: `call.${step}`, call });
        this.#conditions.check();
      },
      onChange: () => this.#conditions.check(),
    });
  }

  get port(): number {
    return this.#http.port;
  }

  /** The base URL of the server, which a bot takes as `apiRoot`. */
  get apiRoot(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * The bot with a token. `/test` after the token selects the test environment.
   *
   * @throws ApiError for an invalid token
   */
  bot(token: string): SandboxBot {
    return this.#bot(this.#parts.accounts.authenticate(token));
  }

  /** The bot with an id, or undefined if its token has not been used yet. */
  botById(id: number): SandboxBot | undefined {
    const account = this.#parts.accounts.find(id);
    return account && this.#bot(account);
  }

  /**
   * Activates a fault rule. Returns its id.
   *
   * @throws RangeError for a second poller of an unknown bot
   */
  addFault(rule: FaultRule): number {
    const polled = rule.kind === 'rival' ? this.#accountOf(rule.bot) : undefined;
    const id = this.#faults.add(rule);
    if (rule.kind === 'refuse') {
      this.#http.stopListening();
      this.#undos.set(id, () => void this.#http.resumeListening());
    } else if (rule.kind === 'rival' && polled) {
      const { clock } = this.#parts;
      this.#undos.set(id, startSecondPoller({ clock, account: polled, confirms: rule.confirms ?? false }));
    } else {
      if (rule.kind === 'half-open' && appliesToAll(rule)) this.#http.silenceAll();
      this.#api.applyToPending(id);
    }
    this.#conditions.check();
    return id;
  }

  /** Ends the rule with an id, or all rules without one. */
  removeFaults(id?: number): void {
    this.#faults.remove(id);
    this.#conditions.check();
  }

  /** The active fault rules. */
  faults(): readonly ActiveRule[] {
    return this.#faults.list();
  }

  /** Calls the listener for each event. Returns a function that removes the listener. */
  watch(listener: (event: SandboxEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Resolves when the condition holds, which is checked after every call. Rejects after `timeoutMs` (default 10,000) with
   * an Error that shows the bot's state, when the sandbox closes, and with what the condition throws.
   */
  waitFor(condition: () => boolean, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return this.#conditions.waitFor(condition, timeoutMs);
  }

  /** Used by `startSandbox`. */
  listen(port: number): Promise<void> {
    return this.#http.listen(port);
  }

  /** Destroys all connections, cancels all timers, and rejects all waits. */
  async close(): Promise<void> {
    this.#parts.closing.abort(new Error('the sandbox is closed'));
    this.#undos.clear();
    this.#parts.clock.cancelAll();
    await this.#http.close();
  }

  #bot(account: BotAccount): SandboxBot {
    const known = this.#bots.get(account);
    if (known) return known;
    const { clock, calls, closing } = this.#parts;
    const bot = new SandboxBot({ clock, account, calls, closing: closing.signal });
    this.#bots.set(account, bot);
    return bot;
  }

  #accountOf(id: number | undefined): BotAccount {
    const { accounts, account } = this.#parts;
    const found = id === undefined ? account : accounts.find(id);
    if (!found) throw new RangeError(`no bot with id ${id} has been seen`);
    return found;
  }

  #onRuleEnd(id: number): void {
    this.#undos.get(id)?.();
    this.#undos.delete(id);
    this.#conditions.check();
  }

  #tell(event: SandboxEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

const appliesToAll = ({ method, bot, fraction }: FaultRule): boolean =>
  method === undefined && bot === undefined && fraction === undefined;
