/**
 * Everything that the server keeps for one bot: its queue of updates and their way, its webhook and settings, and the
 * chats, people, messages and files that it has seen.
 */
import type { Clock } from '../clock.js';
import { isObject } from '../json.js';
import { ApiError } from './api-response.js';
import { Changes } from './changes.js';
import { ConflictDescription, GetUpdates, type Responder } from './get-updates.js';
import { isChat, isMessage, type User } from './message.js';
import { type CallParameters, integer, structure } from './parameters.js';
import { BotCommands } from './state/bot-commands.js';
import { BotProfile } from './state/bot-profile.js';
import { Files } from './state/files.js';
import { ForumTopics } from './state/forum-topics.js';
import { GameScores } from './state/game-scores.js';
import { InlineMessages } from './state/inline-messages.js';
import { InviteLinks } from './state/invite-links.js';
import { Invoices, type Payment } from './state/invoices.js';
import { KnownChats } from './state/known-chats.js';
import { Members, type Status } from './state/members.js';
import { Polls } from './state/polls.js';
import { Queries, type QueryKind } from './state/queries.js';
import type { StickerSet } from './state/sticker-set.js';
import { StoredMessages } from './state/stored-messages.js';
import type { UpdateLog } from './state/update-log.js';
import { type AllowedUpdates, isAllowed, parseAllowedUpdates, retentionMs } from './update-kinds.js';
import { kindOf, type NewUpdate } from './update-parser.js';
import { UpdateQueue } from './update-queue.js';

const MAX_POLL_SECONDS = 50;
/** How long Telegram's cloud server refuses a bot that has logged out. */
const LOGGED_OUT_MS = 600_000;

interface QueryContent {
  readonly id: string;
  readonly [field: string]: unknown;
}

export interface BotAccountOptions {
  readonly token: string;
  readonly clock: Clock;
  readonly nextUpdateId: number;
  /** Where changes are told. Default: nobody is told. */
  readonly changes?: Changes;
}

export class BotAccount {
  readonly token: string;
  readonly user: User;
  readonly queue: UpdateQueue;
  readonly getUpdates: GetUpdates;
  readonly #clock: Clock;
  readonly messages: StoredMessages;
  readonly chats = new KnownChats();
  readonly files = new Files();
  readonly commands = new BotCommands();
  readonly profile = new BotProfile();
  readonly members: Members;
  readonly polls = new Polls();
  readonly topics = new ForumTopics();
  readonly inviteLinks: InviteLinks;
  /** The people who ask to join a chat, as `chat/person`. */
  readonly joinRequests = new Set<string>();
  readonly invoices = new Invoices();
  readonly gameScores = new GameScores();
  readonly stickerSets = new Map<string, StickerSet>();
  readonly queries: Queries;
  readonly inlineMessages = new InlineMessages();
  #lastId = 0;
  #loggedOutUntil = Number.NEGATIVE_INFINITY;
  /** The kinds of updates that the bot gets; undefined for the default kinds. */
  allowedUpdates: AllowedUpdates;
  webhookUrl = '';
  nextSetWebhookAt = Number.NEGATIVE_INFINITY;

  constructor({ token, clock, nextUpdateId, changes = new Changes() }: BotAccountOptions) {
    const bot = Number.parseInt(token, 10);
    this.token = token;
    this.user = { id: bot, is_bot: true, first_name: 'Sandbox', username: `sandbox_${bot}_bot` };
    this.#clock = clock;
    this.members = new Members(this.user);
    this.inviteLinks = new InviteLinks(this.user);
    this.queries = new Queries(clock);
    this.queue = new UpdateQueue({
      clock,
      nextId: nextUpdateId,
      onChange: (id) => changes.tell({ kind: 'update', bot, id }),
    });
    this.messages = new StoredMessages({
      clock,
      isWaiting: (updateId) => this.queue.isWaiting(updateId),
      onChange: (chat, id) => changes.tell({ kind: 'message', bot, chat, id }),
    });
    this.getUpdates = new GetUpdates({ clock, queue: this.queue });
  }

  get id(): number {
    return this.user.id;
  }

  /** The way of each update. */
  get updates(): UpdateLog {
    return this.queue.log;
  }

  get loggedOut(): boolean {
    return this.#clock.now() < this.#loggedOutUntil;
  }

  /**
   * Queues updates and wakes the waiting poll. Updates of a kind that is not allowed are dropped. Returns the ids of the
   * others.
   *
   * @throws RangeError for an update without exactly one known kind, and for an `update_id` that is not above all queued
   *   ids; the updates before it stay queued
   */
  add(updates: Iterable<NewUpdate>): number[] {
    const ids: number[] = [];
    try {
      for (const { update_id: id, ...content } of updates) {
        const kind = kindOf(content);
        if (!isAllowed(kind, this.allowedUpdates)) continue;
        if (id !== undefined) this.queue.setNextId(id);
        const updateId = this.queue.push(content, retentionMs(kind));
        ids.push(updateId);
        this.#learn(kind, content[kind], updateId);
      }
    } finally {
      if (ids.length > 0) this.getUpdates.wake();
    }
    return ids;
  }

  /** Serves a `getUpdates` call. The response may be sent later. */
  poll(parameters: CallParameters, responder: Responder): void {
    if (this.webhookUrl) {
      this.getUpdates.refuse(ConflictDescription.webhookActive, responder);
      return;
    }
    this.setAllowedUpdates(parameters);
    this.getUpdates.poll(
      {
        offset: integer(parameters, 'offset', 0),
        limit: integer(parameters, 'limit', 100, 1, 100),
        timeoutSeconds: integer(parameters, 'timeout', 0, 0, MAX_POLL_SECONDS),
      },
      responder,
    );
  }

  /** Adopts the parameter `allowed_updates`, if it is given. Queued updates are not affected. */
  setAllowedUpdates(parameters: CallParameters): void {
    const parsed = parseAllowedUpdates(structure(parameters, 'allowed_updates'));
    if (parsed !== 'unchanged') this.allowedUpdates = parsed.allowed;
  }

  /** Refuses all calls of the bot for ten minutes, and clears its queue. */
  logOut(): void {
    this.#loggedOutUntil = this.#clock.now() + LOGGED_OUT_MS;
    this.webhookUrl = '';
    this.queue.clear();
    this.getUpdates.failWaiting(new ApiError(400, 'Logged out'));
  }

  /** Returns an id for a poll, an album or a query. */
  nextId(): string {
    return `${++this.#lastId}`;
  }

  /** Queues a query that is part of a payment. Returns the id of its update; undefined if the bot gets no such updates. */
  ask(
    kind: QueryKind,
    { content, payment }: { readonly content: QueryContent; readonly payment: Payment },
  ): number | undefined {
    const [updateId] = this.add([{ [kind]: content }]);
    const { chat, from } = payment;
    this.queries.add({ id: content.id, kind, updateId, chat, from, payment });
    return updateId;
  }

  /** Remembers what a raw update says, as if the bot had seen it before. */
  #learn(kind: string, content: unknown, updateId: number): void {
    if (!isObject(content)) return;
    const { message, from, inline_message_id: inlineId } = content;
    if (Queries.isKind(kind))
      this.queries.add({
        id: `${content['id']}`,
        kind,
        updateId,
        chat: isMessage(message) ? message.chat.id : undefined,
        from: isObject(from) ? Number(from['id']) : undefined,
      });
    if (typeof inlineId === 'string') this.inlineMessages.named(inlineId, updateId);
    if (kind === 'my_chat_member' || kind === 'chat_member' || kind === 'chat_join_request')
      this.#learnMember(kind, content);
    const shown = kind === 'callback_query' ? message : content;
    if (!isMessage(shown)) return;
    this.messages.store(shown, updateId);
    this.chats.learn(shown);
    if (shown['is_topic_message'] === true)
      this.topics.learn(shown.chat.id, Number(shown['message_thread_id']));
    if (shown.from) this.members.see(shown.chat.id, shown.from);
    for (const id of fileIds(shown)) this.files.learn(id);
  }

  #learnMember(
    kind: string,
    { chat, from, new_chat_member: member }: Readonly<Record<string, unknown>>,
  ): void {
    const chatId = isObject(chat) ? Number(chat['id']) : Number.NaN;
    if (!Number.isSafeInteger(chatId)) return;
    if (isChat(chat)) this.chats.learn({ chat });
    if (kind === 'chat_join_request') {
      if (!isObject(from)) return;
      this.joinRequests.add(`${chatId}/${from['id']}`);
      this.members.set(chatId, { user: this.chats.person(Number(from['id'])), status: 'left' });
      return;
    }
    if (!isObject(member)) return;
    const user = kind === 'my_chat_member' ? this.user : this.chats.person(userIdOf(member));
    this.members.set(chatId, { ...member, user, status: member['status'] as Status });
  }
}

const userIdOf = ({ user }: Readonly<Record<string, unknown>>): number =>
  isObject(user) ? Number(user['id']) : 0;

/** Returns the ids of all files in a message. */
function fileIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fileIds);
  if (!isObject(value)) return [];
  const id = value['file_id'];
  return [...(typeof id === 'string' ? [id] : []), ...Object.values(value).flatMap(fileIds)];
}
