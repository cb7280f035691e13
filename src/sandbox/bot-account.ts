/**
 * All that the server keeps for one bot: its updates, its webhook, its settings, what it has sent.
 */
import type { Clock } from '../clock.js';
import { ApiError } from './api-response.js';
import { Conflict, GetUpdates, type Reply } from './get-updates.js';
import type { Message, User } from './message.js';
import { type CallParameters, integer, structure } from './parameters.js';
import { type AllowedUpdates, isAllowed, keptMs, parseAllowedUpdates } from './update-kinds.js';
import { UpdateQueue } from './update-queue.js';

/** As the Bot API has it: `update_id` (given to it when left out) and one other field, which names its kind. */
export interface NewUpdate {
  readonly update_id?: number;
  readonly [kind: string]: unknown;
}

const LONGEST_POLL_SECONDS = 50;
/** So long the cloud server refuses a bot that has logged out. */
const LOGGED_OUT_MS = 600_000;
const REMEMBERED_MESSAGES = 5_000;

export class BotAccount {
  readonly token: string;
  readonly user: User;
  readonly queue: UpdateQueue;
  readonly getUpdates: GetUpdates;
  readonly #clock: Clock;
  /** By id, which no two of the bot's messages share, whatever their chats. */
  readonly #messages = new Map<number, Message>();
  #lastMessageId = 0;
  #allowed: AllowedUpdates;
  #loggedOutUntil = Number.NEGATIVE_INFINITY;
  webhookUrl = '';
  nextSetWebhookAt = Number.NEGATIVE_INFINITY;
  commands: unknown = [];

  constructor({ token, clock, nextUpdateId }: { token: string; clock: Clock; nextUpdateId: number }) {
    const id = Number.parseInt(token, 10);
    this.token = token;
    this.user = {
      id,
      is_bot: true,
      first_name: 'Sandbox',
      username: `sandbox_${id}_bot`,
    };
    this.#clock = clock;
    this.queue = new UpdateQueue({ clock, nextId: nextUpdateId });
    this.getUpdates = new GetUpdates({ clock, queue: this.queue });
  }

  get id(): number {
    return this.user.id;
  }

  get allowedUpdates(): AllowedUpdates {
    return this.#allowed;
  }

  get loggedOut(): boolean {
    return this.#clock.now() < this.#loggedOutUntil;
  }

  /**
   * Queues updates for the bot and wakes its poll. Returns their ids, without those of a kind that the bot does not
   * listen to, which are dropped.
   * @throws RangeError where an `update_id` given is not above all that wait; those before it are queued.
   */
  add(updates: Iterable<NewUpdate>): number[] {
    const ids: number[] = [];
    try {
      for (const { update_id: id, ...content } of updates) {
        const kind = Object.keys(content)[0] ?? '';
        if (!isAllowed(kind, this.#allowed)) continue;
        if (id !== undefined) this.queue.jump(id);
        ids.push(this.queue.push(content, keptMs(kind)));
      }
    } finally {
      if (ids.length > 0) this.getUpdates.wake();
    }
    return ids;
  }

  /** Answers a `getUpdates` call, sooner or later. */
  poll(parameters: CallParameters, reply: Reply): void {
    if (this.webhookUrl) {
      this.getUpdates.refuse(Conflict.withWebhook, reply);
      return;
    }
    this.listenTo(parameters);
    this.getUpdates.ask(
      {
        offset: integer(parameters, 'offset', 0),
        limit: integer(parameters, 'limit', 100, 1, 100),
        timeoutSeconds: integer(parameters, 'timeout', 0, 0, LONGEST_POLL_SECONDS),
      },
      reply,
    );
  }

  /** Takes over `allowed_updates` where a call gives them. Updates that wait already are not touched. */
  listenTo(parameters: CallParameters): void {
    const parsed = parseAllowedUpdates(structure(parameters, 'allowed_updates'));
    if (parsed !== 'unchanged') this.#allowed = parsed.allowed;
  }

  /** Refuses the bot for ten minutes, and forgets what waits for it. */
  logOut(): void {
    this.#loggedOutUntil = this.#clock.now() + LOGGED_OUT_MS;
    this.webhookUrl = '';
    this.queue.clear();
    this.getUpdates.endWith(new ApiError(400, 'Logged out'));
  }

  /** A number for the next message in any of the bot's chats. */
  nextMessageId(): number {
    return ++this.#lastMessageId;
  }

  /** Keeps a message, so that it can be edited or copied; the oldest are forgotten. */
  remember(message: Message): void {
    this.#messages.set(message.message_id, message);
    this.#messages.delete(message.message_id - REMEMBERED_MESSAGES);
  }

  recall(chatId: number, messageId: number): Message | undefined {
    const message = this.#messages.get(messageId);
    return message?.chat.id === chatId ? message : undefined;
  }

  forget(chatId: number, messageId: number): void {
    if (this.recall(chatId, messageId)) this.#messages.delete(messageId);
  }
}
