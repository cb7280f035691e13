/** Everything that the server keeps for one bot: its queue of updates, webhook, settings and messages. */
import type { Clock } from '../clock.js';
import { isObject } from '../json.js';
import { ApiError } from './api-response.js';
import { BotCommands } from './bot-commands.js';
import { CallbackQueries } from './callback-queries.js';
import { Files } from './files.js';
import { ConflictDescription, GetUpdates, type Responder } from './get-updates.js';
import { KnownChats } from './known-chats.js';
import { isMessage, type User } from './message.js';
import { type CallParameters, integer, structure } from './parameters.js';
import { StoredMessages } from './stored-messages.js';
import { type AllowedUpdates, isAllowed, parseAllowedUpdates, retentionMs } from './update-kinds.js';
import { kindOf, type NewUpdate } from './update-parser.js';
import { UpdateQueue } from './update-queue.js';

const MAX_POLL_SECONDS = 50;
/** How long Telegram's cloud server refuses a bot that has logged out. */
const LOGGED_OUT_MS = 600_000;

export class BotAccount {
  readonly token: string;
  readonly user: User;
  readonly queue: UpdateQueue;
  readonly getUpdates: GetUpdates;
  readonly #clock: Clock;
  readonly messages = new StoredMessages();
  readonly chats = new KnownChats();
  readonly files = new Files();
  readonly commands = new BotCommands();
  readonly callbackQueries: CallbackQueries;
  #lastId = 0;
  #loggedOutUntil = Number.NEGATIVE_INFINITY;
  /** The kinds of updates that the bot gets; undefined for the default kinds. */
  allowedUpdates: AllowedUpdates;
  webhookUrl = '';
  nextSetWebhookAt = Number.NEGATIVE_INFINITY;

  constructor({ token, clock, nextUpdateId }: { token: string; clock: Clock; nextUpdateId: number }) {
    const id = Number.parseInt(token, 10);
    this.token = token;
    this.user = { id, is_bot: true, first_name: 'Sandbox', username: `sandbox_${id}_bot` };
    this.#clock = clock;
    this.callbackQueries = new CallbackQueries(clock);
    this.queue = new UpdateQueue({ clock, nextId: nextUpdateId });
    this.getUpdates = new GetUpdates({ clock, queue: this.queue });
  }

  get id(): number {
    return this.user.id;
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
        ids.push(this.queue.push(content, retentionMs(kind)));
        this.#learn(kind, content[kind]);
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

  /** Remembers the messages in a raw update, as if the bot had seen them in the chat. */
  #learn(kind: string, content: unknown): void {
    if (!isObject(content)) return;
    if (kind === 'callback_query') this.callbackQueries.add(`${content['id']}`);
    const message = kind === 'callback_query' ? content['message'] : content;
    if (!isMessage(message)) return;
    this.messages.store(message);
    this.chats.learn(message);
    for (const id of fileIds(message)) this.files.learn(id);
  }
}

/** Returns the ids of all files in a message. */
function fileIds(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(fileIds);
  if (!isObject(value)) return [];
  const id = value['file_id'];
  return [...(typeof id === 'string' ? [id] : []), ...Object.values(value).flatMap(fileIds)];
}
