/**
 * Server-sent events for one page: a snapshot of a bot first, then what changes. Changes are collected for a moment, and
 * each thing that has changed is sent as it is by then, so that a page shows the server's state however much happens. A
 * page that reads slowly gets fewer, larger events; one that does not read is let go, and connects again when it can.
 */
import type { ServerResponse } from 'node:http';
import type { BotAccount } from '../bot-account.js';
import type { LogLine } from '../bot-process.js';
import type { Change } from '../changes.js';
import type { CallView, ChatView, News } from '../page-protocol.js';
import { faultForms } from './fault-forms.js';
import type { PageSource } from './source.js';
import {
  botView,
  callView,
  chatView,
  faultViews,
  inlineAnswerView,
  messageView,
  pressView,
} from './views.js';

/** How long changes are collected. */
const COLLECT_MS = 25;
/** How often the page is told the time, and whatever changes by time alone. */
const TICK_MS = 1_000;
/** The most of each kind in one event: older ones are left out. */
const LIMITS = { messages: 1_000, updates: 300, calls: 300, log: 500 } as const;

/** How many changes wait for a page that does not read: more than one event tells, so a snapshot tells it no less. */
const MAX_WAITING = 10_000;

/** Sends events until the connection closes. */
export function streamEvents(source: PageSource, account: BotAccount, response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  const stream = new EventStream(source, account, response);
  response.once('close', () => stream.close());
}

class EventStream {
  readonly #source: PageSource;
  readonly #account: BotAccount;
  readonly #response: ServerResponse;
  readonly #unsubscribe: () => void;
  readonly #ticks: NodeJS.Timeout;
  /** What has changed and is not sent yet. */
  readonly #messages = new Map<string, { readonly chat: number; readonly id: number }>();
  readonly #chats = new Set<number>();
  readonly #updates = new Set<number>();
  readonly #calls = new Map<number, CallView>();
  readonly #presses = new Set<string>();
  readonly #inlineQueries = new Set<string>();
  #lines: LogLine[] = [];
  /** What was sent last of the small parts, which are sent whole when they have changed. */
  readonly #lastSent = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(source: PageSource, account: BotAccount, response: ServerResponse) {
    this.#source = source;
    this.#account = account;
    this.#response = response;
    this.#unsubscribe = source.changes.subscribe((change) => this.#collect(change));
    this.#send('snapshot', this.#snapshot());
    this.#ticks = setInterval(() => this.#flush(), TICK_MS);
    response.on('drain', () => this.#flush());
  }

  close(): void {
    this.#unsubscribe();
    clearInterval(this.#ticks);
    clearTimeout(this.#timer);
  }

  #collect(change: Change): void {
    if ('bot' in change && change.bot !== this.#account.id) return;
    switch (change.kind) {
      case 'update':
        this.#updates.add(change.id);
        break;
      case 'message':
        this.#messages.set(`${change.chat}/${change.id}`, change);
        this.#chats.add(change.chat);
        break;
      case 'chat':
        this.#chats.add(change.chat);
        break;
      case 'call':
        if (change.call.bot !== this.#account.id) break;
        this.#calls.set(change.call.number, callView(change.call));
        this.#collectAffected(change.call.parameters);
        break;
      case 'line':
        this.#lines.push(change.line);
        // A program that writes without end fills no memory.
        if (this.#lines.length > 2 * LIMITS.log) this.#lines = this.#lines.slice(-LIMITS.log);
        break;
      case 'server':
        break;
    }
    this.#timer ??= setTimeout(() => this.#flush(), COLLECT_MS);
  }

  /** Collects what a call may have changed beside messages: a keyboard, an action, the answer to a query. */
  #collectAffected(parameters: Readonly<Record<string, unknown>>): void {
    const { chat_id: chat, callback_query_id: press, inline_query_id: inline } = parameters;
    if (chat !== undefined && Number.isSafeInteger(Number(chat))) this.#chats.add(Number(chat));
    if (press !== undefined) this.#presses.add(`${press}`);
    if (inline !== undefined) this.#inlineQueries.add(`${inline}`);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#response.closed) return;
    if (this.#response.writableNeedDrain) {
      if (this.#waiting > MAX_WAITING) this.#response.destroy();
      return;
    }
    try {
      this.#send('changes', this.#news());
    } catch {
      // Raw updates may hold anything. The page connects again, and the bot must not notice.
      this.#response.destroy();
    }
  }

  #snapshot(): News {
    const { calls, apiRoot, connect } = this.#source;
    const { id, messages, updates, chats } = this.#account;
    return {
      ...this.#state(),
      server: { apiRoot, connect },
      faultKinds: faultForms(),
      chats: chats.list().map((chat) => chatView(this.#account, chat)),
      messages: messages.newest(LIMITS.messages).map((message) => messageView(this.#account, message)),
      updates: updates.list().slice(-LIMITS.updates),
      calls: calls
        .list({ bot: id })
        .slice(-LIMITS.calls)
        .map((call) => callView(call)),
      log: this.#source.process()?.log.slice(-LIMITS.log) ?? [],
    };
  }

  #news(): News {
    const account = this.#account;
    // The state comes first: reading it also finds updates that have expired.
    const state = this.#state();
    const changed = [...this.#messages.values()].slice(-LIMITS.messages);
    const known = changed.flatMap(({ chat, id }) => account.messages.find(chat, id) ?? []);
    const deleted = changed.filter(({ chat, id }) => !account.messages.find(chat, id));
    const news: News = {
      ...state,
      chats: this.#changedChats(),
      messages: known.map((message) => messageView(account, message)),
      deleted: deleted.map(({ chat, id }) => ({ chat, id })),
      updates: [...this.#updates].slice(-LIMITS.updates).flatMap((id) => account.updates.find(id) ?? []),
      calls: [...this.#calls.values()].slice(-LIMITS.calls),
      presses: [...this.#presses]
        .flatMap((id) => account.queries.find('callback_query', id) ?? [])
        .map(pressView),
      inlineAnswers: [...this.#inlineQueries]
        .flatMap((id) => account.queries.find('inline_query', id) ?? [])
        .flatMap((query) => inlineAnswerView(query) ?? []),
      log: this.#lines.slice(-LIMITS.log),
    };
    this.#forget();
    return withoutEmpty(news);
  }

  /** The number of changes that are not sent yet. */
  get #waiting(): number {
    return this.#collections.reduce((sum, { size }) => sum + size, this.#lines.length);
  }

  /** Forgets what has been collected. */
  #forget(): void {
    this.#lines = [];
    for (const collected of this.#collections) collected.clear();
  }

  get #collections(): readonly { readonly size: number; clear(): void }[] {
    return [
      ...[this.#messages, this.#chats, this.#updates],
      ...[this.#calls, this.#presses, this.#inlineQueries],
    ];
  }

  #changedChats(): readonly ChatView[] {
    return [...this.#chats]
      .map((id) => chatView(this.#account, this.#account.chats.chat(id)))
      .filter((chat) => this.#isNew(`chat ${chat.id}`, chat));
  }

  /** The small parts that have changed since they were sent last. */
  #state(): News {
    const { clock, accounts } = this.#source;
    const parts = {
      bots: accounts.list().map(({ id, user }) => ({ id, username: user.username ?? `${id}` })),
      bot: botView(this.#source, this.#account),
      faults: faultViews(this.#source),
      process: this.#source.process()?.state,
    };
    const changed = Object.entries(parts).filter(
      ([name, part]) => part !== undefined && this.#isNew(name, part),
    );
    return { nowMs: clock.now(), ...Object.fromEntries(changed) };
  }

  /** Whether a part is another than the one sent last under a name. */
  #isNew(name: string, part: object): boolean {
    const json = JSON.stringify(part);
    if (this.#lastSent.get(name) === json) return false;
    this.#lastSent.set(name, json);
    return true;
  }

  #send(event: 'snapshot' | 'changes', news: News): void {
    this.#response.write(`event: ${event}\ndata: ${JSON.stringify(news)}\n\n`);
  }
}

/** Leaves out lists without content, except those whose emptiness is the news. */
function withoutEmpty(news: News): News {
  const always = ['faults', 'bots'];
  const parts = Object.entries(news).filter(
    ([name, part]) => !Array.isArray(part) || part.length > 0 || always.includes(name),
  );
  return { nowMs: news.nowMs, ...Object.fromEntries(parts) };
}
