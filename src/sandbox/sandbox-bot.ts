/** A bot of a sandbox, as seen by a test: sends messages and updates to the bot, and observes what the bot does. */
import type { Clock } from '../clock.js';
import type { BotAccount, NewUpdate } from './bot-account.js';
import type { Call, CallFilter, Calls } from './calls.js';
import { type ChatReport, Chats, type Conversation, type UserMessage } from './chats.js';
import type { Exchange } from './transcript.js';

export interface BotState {
  /** The bot's id. */
  readonly bot: number;
  /** The number of unconfirmed updates, whether delivered or not. */
  readonly queued: number;
  /** The id of the next update. */
  readonly nextUpdateId: number;
  /** The newest offset by which updates were confirmed: the server has removed all updates below it. */
  readonly confirmedOffset: number | undefined;
  /** The number of waiting long polls whose caller still listens: 0 or 1. */
  readonly waitingPolls: number;
  /** The number of `getUpdates` calls so far. */
  readonly polls: number;
  /** The number of 409 responses so far to callers that still listened, including delayed ones. */
  readonly conflicts: number;
  /** Empty without a webhook. */
  readonly webhookUrl: string;
  /** The kinds of updates that the bot gets. Undefined: the default kinds. */
  readonly allowedUpdates: readonly string[] | undefined;
  /** The number of calls of each method so far, by the method's name as first spelt. */
  readonly calls: Readonly<Record<string, number>>;
}

export interface SandboxBotParts {
  readonly clock: Clock;
  readonly account: BotAccount;
  readonly calls: Calls;
  /** Aborts when the sandbox closes. */
  readonly closing: AbortSignal;
}

export class SandboxBot {
  readonly chats: Chats;
  readonly #account: BotAccount;
  readonly #calls: Calls;
  readonly #closing: AbortSignal;

  constructor({ clock, account, calls, closing }: SandboxBotParts) {
    this.#account = account;
    this.#calls = calls;
    this.#closing = closing;
    this.chats = new Chats({ clock, account });
  }

  get token(): string {
    return this.#account.token;
  }

  get id(): number {
    return this.#account.id;
  }

  /**
   * Adds raw updates, each with the next id unless it has an `update_id`. Updates of a kind that the bot does not get are
   * dropped. Returns the ids of the others.
   *
   * @throws RangeError for an `update_id` that is not above all queued ids
   */
  addUpdates(updates: Iterable<NewUpdate>): number[] {
    return this.#account.add(updates);
  }

  /**
   * Sets the id of the next update.
   *
   * @throws RangeError for a lower id while updates are queued
   */
  jumpTo(nextUpdateId: number): void {
    this.#account.queue.setNextId(nextUpdateId);
  }

  /** Sends a message to the bot. Returns the ids of the updates. */
  say(message: UserMessage | string): number[] {
    return this.chats.say(typeof message === 'string' ? { text: message } : message);
  }

  /** Sends a message and waits for the first answer. Rejects when the signal aborts or the sandbox closes. */
  ask(message: Omit<UserMessage, 'count'> | string, signal?: AbortSignal): Promise<Exchange> {
    const content = typeof message === 'string' ? { text: message } : message;
    return this.chats.ask(content, this.#orClosing(signal));
  }

  /** Holds a conversation. Resolves at its end, or when the signal aborts or the sandbox closes. */
  converse(conversation: Conversation, signal?: AbortSignal): Promise<void> {
    return this.chats.converse(conversation, this.#orClosing(signal));
  }

  /** Copies of all exchanges in one chat, or in all chats. */
  exchanges(chat?: number): readonly Exchange[] {
    return this.chats.exchanges(chat);
  }

  /** The number of messages without an answer. Cheap, however many there are. */
  get unanswered(): number {
    return this.chats.unanswered;
  }

  /** The exchanges in one chat, or in all chats, in figures. */
  report(chat?: number): ChatReport {
    return this.chats.report(chat);
  }

  /** The recorded calls of the bot, oldest first. */
  calls(filter: Omit<CallFilter, 'bot'> = {}): readonly Call[] {
    return this.#calls.list({ ...filter, bot: this.id });
  }

  /** The number of calls of a method so far. The name may be in any case. */
  callCount(method: string): number {
    return this.#calls.count(this.id, method);
  }

  state(): BotState {
    const { id, queue, getUpdates, webhookUrl, allowedUpdates } = this.#account;
    return {
      bot: id,
      queued: queue.size,
      nextUpdateId: queue.nextId,
      confirmedOffset: getUpdates.confirmedOffset,
      waitingPolls: getUpdates.waiting ? 1 : 0,
      polls: this.callCount('getUpdates'),
      conflicts: getUpdates.conflicts,
      webhookUrl,
      allowedUpdates,
      calls: this.#calls.counts(id),
    };
  }

  #orClosing(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([this.#closing, signal]) : this.#closing;
  }
}
