/** What the page knows of the server: everything that the events have told so far, and only the newest of what is much. */
import type { BotProcessState, LogLine } from '../bot-process.js';
import type {
  BotView,
  CallView,
  ChatView,
  FaultKindView,
  FaultView,
  InlineAnswerView,
  MessageView,
  News,
  PressView,
} from '../page-protocol.js';
import type { UpdateRecord } from '../state/update-record.js';

const LIMITS = {
  messages: 5_000,
  updates: 500,
  calls: 500,
  presses: 500,
  inlineAnswers: 50,
  log: 1_000,
} as const;

/** What an update says of itself, as far as the page shows it. */
export interface UpdateContent {
  /** The id of the message, for updates with one of a person. */
  readonly message: number | undefined;
  readonly summary: string;
}

type Listener = (news: News, isSnapshot: boolean) => void;

export class Store {
  server = { apiRoot: '', connect: '' };
  bots: NonNullable<News['bots']> = [];
  bot: BotView | undefined;
  process: BotProcessState | undefined;
  faults: readonly FaultView[] = [];
  faultKinds: readonly FaultKindView[] = [];
  readonly chats = new Map<number, ChatView>();
  readonly messages = new Map<string, MessageView>();
  readonly updates = new Map<number, UpdateRecord>();
  readonly calls = new Map<number, CallView>();
  readonly presses = new Map<string, PressView>();
  readonly inlineAnswers = new Map<string, InlineAnswerView>();
  readonly log = new Map<number, LogLine>();
  readonly #contents = new Map<number, UpdateContent>();
  readonly #updateOfMessage = new Map<string, number>();
  readonly #listeners: Listener[] = [];
  /** What to add to this page's clock to get that of the server. */
  #aheadMs = 0;

  /** The present time by the server's clock. */
  get nowMs(): number {
    return performance.now() + this.#aheadMs;
  }

  /** When something happened by the server's clock, as a time of this page's calendar. */
  dateOf(atMs: number): Date {
    return new Date(Date.now() - (this.nowMs - atMs));
  }

  /** Calls the listener after each event. */
  onNews(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Takes the content of an event. A snapshot replaces everything. */
  take(news: News, isSnapshot: boolean): void {
    if (isSnapshot) this.#clear();
    this.#aheadMs = news.nowMs - performance.now();
    if (news.server) this.server = news.server;
    if (news.bots) this.bots = news.bots;
    if (news.bot) this.bot = news.bot;
    if (news.process) this.process = news.process;
    if (news.faults) this.faults = news.faults;
    if (news.faultKinds) this.faultKinds = news.faultKinds;
    for (const chat of news.chats ?? []) this.chats.set(chat.id, chat);
    for (const message of news.messages ?? []) this.messages.set(keyOf(message.chat, message.id), message);
    for (const { chat, id } of news.deleted ?? []) this.messages.delete(keyOf(chat, id));
    for (const update of news.updates ?? []) this.#takeUpdate(update);
    for (const call of news.calls ?? [])
      this.calls.set(call.number, { ...this.calls.get(call.number), ...call });
    for (const press of news.presses ?? []) this.presses.set(press.id, press);
    for (const answer of news.inlineAnswers ?? []) this.inlineAnswers.set(answer.id, answer);
    for (const line of news.log ?? []) this.log.set(line.number, line);
    for (const [name, limit] of Object.entries(LIMITS)) trim(this[name as keyof typeof LIMITS], limit);
    for (const listener of this.#listeners)
      try {
        listener(news, isSnapshot);
      } catch (error) {
        // What one part cannot show, such as a raw update of an odd shape, must not keep the others from the news.
        reportError(error);
      }
  }

  /** The messages of a chat, oldest first. */
  messagesOf(chat: number): readonly MessageView[] {
    return [...this.messages.values()]
      .filter((message) => message.chat === chat)
      .sort((one, other) => one.id - other.id);
  }

  message(chat: number, id: number): MessageView | undefined {
    return this.messages.get(keyOf(chat, id));
  }

  /** The update by which the bot learns of a message. */
  updateOf(chat: number, message: number): UpdateRecord | undefined {
    const id = this.#updateOfMessage.get(keyOf(chat, message));
    return id === undefined ? undefined : this.updates.get(id);
  }

  content(update: UpdateRecord): UpdateContent {
    return this.#contents.get(update.id) ?? { message: undefined, summary: '' };
  }

  #takeUpdate(update: UpdateRecord): void {
    this.updates.set(update.id, update);
    if (this.#contents.has(update.id)) return;
    const content = contentOf(update);
    this.#contents.set(update.id, content);
    if (update.chat !== undefined && content.message !== undefined)
      this.#updateOfMessage.set(keyOf(update.chat, content.message), update.id);
    trim(this.#contents, LIMITS.updates);
    trim(this.#updateOfMessage, LIMITS.updates);
  }

  #clear(): void {
    this.process = undefined;
    const collections = [
      ...[this.chats, this.messages, this.updates, this.calls],
      ...[this.presses, this.inlineAnswers, this.log],
    ];
    for (const known of collections) known.clear();
    this.#contents.clear();
    this.#updateOfMessage.clear();
  }
}

const keyOf = (chat: number, message: number): string => `${chat}/${message}`;

/** Forgets the oldest entries. */
function trim(map: Map<unknown, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}

function contentOf({ kind, json }: UpdateRecord): UpdateContent {
  const update: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(json);
  const content = update[kind] ?? {};
  const id = content['message_id'];
  const isMessage = kind === 'message' || kind === 'edited_message';
  return { message: isMessage && typeof id === 'number' ? id : undefined, summary: summaryOf(content) };
}

/** The words of an update, or the name of what it has in place of words. */
function summaryOf(content: Readonly<Record<string, unknown>>): string {
  for (const field of ['text', 'caption', 'data', 'query'])
    if (typeof content[field] === 'string') return content[field];
  const names = [
    'photo',
    'document',
    'contact',
    'location',
    'new_reaction',
    'new_chat_member',
    'sticker',
    'voice',
    'video',
  ];
  return names.find((name) => content[name] !== undefined)?.replaceAll('_', ' ') ?? '';
}
