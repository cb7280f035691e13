/**
 * A local Bot API server, which takes Telegram's place for a bot in this process or another.
 *
 * It models everything about delivery: update ids, offsets and confirmation, long polls and how they wake, the limits on
 * hot loops, 409 conflicts and their spacing, webhooks, `allowed_updates`, expiry, and the errors 401, 404 and 429.
 * `not-modelled.ts` lists what it does not model.
 */
import { type Clock, systemClock } from '../clock.js';
import { foreignOrigin } from '../request-origin.js';
import type { BotAccount } from './bot-account.js';
import { BotAccounts } from './bot-accounts.js';
import { BotApi } from './bot-api.js';
import type { BotProcess } from './bot-process.js';
import { Calls } from './calls.js';
import { cancellableClock } from './cancellable-clock.js';
import { Changes } from './changes.js';
import { Conditions } from './conditions.js';
import { isControlRequest, refuseControlRequest, serveControlRequest } from './control/control.js';
import type { FaultRule } from './fault-rule.js';
import { parseFaultRule } from './fault-rule-parser.js';
import { type ActiveRule, Faults } from './faults.js';
import { hostsOfBots } from './hosts-of-bots.js';
import { HttpServer } from './http-server.js';
import type { Message } from './message.js';
import { isPageRequest } from './page-request.js';
import type { PageServer } from './page-server/server.js';
import { SandboxBot, type SandboxBotParts } from './sandbox-bot.js';
import { randomSandboxToken } from './sandbox-token.js';
import { startSecondPoller } from './second-poller.js';
import { seededRandom } from './seeded-random.js';

const DEFAULT_SEED = 1;
const DEFAULT_RECORDED_CALLS = 10_000;
const DEFAULT_TIMEOUT_MS = 10_000;

export interface SandboxOptions {
  /** The port to listen on. Default 0: any free port. */
  readonly port?: number;
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** The token of the first bot. Default: one with a random id. */
  readonly token?: string;
  /** The valid tokens, of which the first is that of the first bot. Default: every well-formed token is valid. */
  readonly tokens?: readonly string[] | undefined;
  /** The seed for update ids and for random faults. Default 1. */
  readonly seed?: number;
  /** The first update id of each bot. Default: random, from the seed. */
  readonly firstUpdateId?: number;
  /** A delay added to every call, half of it in each direction. Default 0. */
  readonly roundTripMs?: number;
  /** The number of newest calls to keep; up to twice as many are kept. Default 10,000. */
  readonly recordedCalls?: number;
  /**
   * Other names by which bots reach the server, through a proxy or from a container. Default: none. A bot may use any
   * address, and localhost.
   */
  readonly hostNames?: readonly string[] | undefined;
}

type MessageListener = (message: Message, bot: number) => void;

/** Starts a server on 127.0.0.1. Rejects with the system's error, such as `EADDRINUSE` for a port that is in use. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = new Sandbox(options);
  await sandbox.listen(options.port ?? 0);
  return sandbox;
}

/** The server, which is also the handle of its first bot. */
export class Sandbox extends SandboxBot {
  readonly #shared: Omit<SandboxBotParts, 'account'>;
  readonly #closing: AbortController;
  readonly #accounts: BotAccounts;
  readonly #bots = new Map<BotAccount, SandboxBot>();
  readonly #http: HttpServer;
  readonly #api: BotApi;
  readonly #faults: Faults;
  readonly #conditions: Conditions;
  readonly #messageListeners = new Set<MessageListener>();
  readonly #changes: Changes;
  /** The tokens that were given, which may be those of real bots. */
  readonly #givenTokens: readonly string[] | undefined;
  /** Loaded with the first request for the page. */
  #page: Promise<PageServer> | undefined;
  #process: BotProcess | undefined;

  constructor(options: SandboxOptions) {
    const { seed = DEFAULT_SEED, tokens, firstUpdateId, roundTripMs = 0 } = options;
    const token = tokens?.[0] ?? options.token ?? randomSandboxToken();
    const closing = new AbortController();
    const clock = cancellableClock(options.clock ?? systemClock, closing.signal);
    const calls = new Calls(options.recordedCalls ?? DEFAULT_RECORDED_CALLS);
    const shared = { clock, calls, closing: closing.signal };
    const changes = new Changes();
    const accounts = new BotAccounts({ clock, changes, random: seededRandom(seed), firstUpdateId, tokens });
    const firstAccount = accounts.authenticate(token);
    super({ ...shared, account: firstAccount });
    this.#shared = shared;
    this.#closing = closing;
    this.#accounts = accounts;
    this.#bots.set(firstAccount, this);
    const describeState = () => JSON.stringify(this.state());
    this.#changes = changes;
    this.#givenTokens = tokens;
    this.#conditions = new Conditions({ clock, closing: closing.signal, describeState });
    this.#faults = new Faults({ clock, seed });
    const hosts = hostsOfBots(options.hostNames ?? []);
    this.#http = new HttpServer((request, body, response) => {
      const isPage = isPageRequest(request);
      const isControl = isPage || isControlRequest(request);
      const reason = foreignOrigin(request.headers, isControl ? undefined : hosts);
      if (isControl) {
        this.#http.exempt(response);
        if (reason) refuseControlRequest(reason, response);
        else if (isPage) void this.#pageServer().then((page) => page.serve(request, body, response));
        else serveControlRequest(this, request, body, response);
      } else if (reason) this.#api.refuse(reason, response);
      else this.#api.receive(request, body, response);
    });
    this.#api = new BotApi({
      clock,
      accounts,
      calls,
      roundTripMs,
      faults: this.#faults,
      http: this.#http,
      onMessage: (account, message, call) => {
        const answered = this.#bot(account).receive(message);
        account.updates.answered({ ...answered, chat: message.chat.id }, call);
        for (const listener of this.#messageListeners) listener(message, account.id);
      },
      onChange: () => this.#conditions.check(),
      onCall: (call) => changes.tell({ kind: 'call', call }),
    });
  }

  get port(): number {
    return this.#http.port;
  }

  /** The base URL of the server, which a bot takes as `apiRoot`. */
  get apiRoot(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Returns the bot with a token; `/test` after it selects the test environment. @throws ApiError if it is invalid */
  bot(token: string): SandboxBot {
    return this.#bot(this.#accounts.authenticate(token));
  }

  /** Returns the bot with an id. @throws RangeError if the token of the bot has not been used yet */
  botById(id: number): SandboxBot {
    return this.#bot(this.#accounts.find(id));
  }

  /** All bots whose tokens have been used. */
  bots(): readonly SandboxBot[] {
    return this.#accounts.list().map((account) => this.#bot(account));
  }

  /** Activates a fault rule and returns its id. @throws RangeError for an invalid rule, or a second poller of an unknown bot */
  addFault(rule: FaultRule): number {
    parseFaultRule(rule);
    const endServerFault = this.#startServerFault(rule);
    const id = this.#faults.add(rule, () => {
      endServerFault?.();
      this.#serverChanged();
    });
    if (!endServerFault) {
      if (rule.kind === 'half-open' && appliesToAll(rule)) this.#http.silenceAll();
      this.#api.applyToPending(id);
    }
    this.#serverChanged();
    return id;
  }

  /** Ends the rule with an id, or all rules without one. */
  removeFaults(id?: number): void {
    this.#faults.remove(id);
  }

  /** The active fault rules. */
  faults(): readonly ActiveRule[] {
    return this.#faults.list();
  }

  /** Calls the listener for each message that a bot sends, with the id of the bot. */
  onMessage(listener: MessageListener): void {
    this.#messageListeners.add(listener);
  }

  /**
   * Resolves when the condition holds, which is checked after every call. Rejects after `timeoutMs` (default 10,000) with
   * an Error that shows the bot's state, when the sandbox closes, and with what the condition throws.
   */
  waitFor(condition: () => boolean, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return this.#conditions.waitFor(condition, timeoutMs);
  }

  /** Calls the listener after every step of a call: when it has come, was executed, and is over. */
  onStep(listener: () => void): () => void {
    return this.#conditions.subscribe(listener);
  }

  /** What changes, for those who watch it. */
  get changes(): Changes {
    return this.#changes;
  }

  /** Shows the process of the bot and its log on the page, with buttons to stop and restart it. */
  attachProcess(process: BotProcess): void {
    this.#process = process;
    process.onChange(() => this.#serverChanged());
    process.onLine((line) => this.#changes.tell({ kind: 'line', line }));
    this.#serverChanged();
  }

  /** Listens on a port. Called by `startSandbox`. */
  listen(port: number): Promise<void> {
    return this.#http.listen(port);
  }

  /** Destroys all connections, cancels all timers, and rejects all waits. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the sandbox is closed'));
    await this.#http.close();
  }

  #bot(account: BotAccount): SandboxBot {
    const bot = this.#bots.get(account) ?? new SandboxBot({ ...this.#shared, account });
    this.#bots.set(account, bot);
    return bot;
  }

  #serverChanged(): void {
    this.#conditions.check();
    this.#changes.tell({ kind: 'server' });
  }

  #pageServer(): Promise<PageServer> {
    const { clock, calls } = this.#shared;
    const token = this.#givenTokens ? '<the token you gave>' : this.token;
    const source = {
      clock,
      calls,
      accounts: this.#accounts,
      changes: this.#changes,
      faults: this.#faults,
      apiRoot: this.apiRoot,
      connect: `TELEGRAM_API_ROOT=${this.apiRoot} BOT_TOKEN='${token}' lastcall run bot.js`,
      bot: (account: BotAccount) => this.#bot(account),
      process: () => this.#process,
    };
    this.#page ??= import('./page-server/server.js').then(({ PageServer }) => new PageServer(source));
    return this.#page;
  }

  /** Starts a fault of the whole server. Returns a function that ends it, or undefined for a fault of requests. */
  #startServerFault(rule: FaultRule): (() => void) | undefined {
    const { clock, closing } = this.#shared;
    if (rule.kind === 'refuse') {
      this.#http.stopListening();
      return () => {
        if (!closing.aborted) void this.#http.resumeListening();
      };
    }
    if (rule.kind !== 'rival') return undefined;
    const account = this.#accounts.find(rule.bot ?? this.id);
    return startSecondPoller({ clock, account, confirms: rule.confirms ?? false });
  }
}

const appliesToAll = ({ method, bot, fraction }: FaultRule): boolean =>
  method === undefined && bot === undefined && fraction === undefined;
