/**
 * One bot of a sandbox, from the side of those who write to it and look at what it does.
 */
import type { Clock } from '../clock.js';
import type { BotAccount, NewUpdate } from './bot-account.js';
import type { Call, CallFilter, Calls } from './calls.js';
import { type ChatReport, Chats, type Conversation, type Line } from './chats.js';
import type { Exchange } from './said-lines.js';

export interface BotState {
  /** The bot's id. */
  readonly bot: number;
  /** Updates that the server still keeps: not delivered, or delivered and not confirmed. */
  readonly queued: number;
  /** The id the next update gets. */
  readonly nextUpdateId: number;
  /** The newest offset that the server has acted upon: it has forgotten all below. Undefined before there was one. */
  readonly confirmedOffset: number | undefined;
  /** Long polls that wait right now, whose caller still listens: 0 or 1. */
  readonly waitingPolls: number;
  /** Calls of `getUpdates` so far. */
  readonly polls: number;
  /** 409s so far to callers that still listened, those still held back included. */
  readonly conflicts: number;
  /** Empty where none is set. */
  readonly webhookUrl: string;
  /** What the bot listens to; undefined: the default. */
  readonly allowedUpdates: readonly string[] | undefined;
  /** How many calls of each method so far, by the name first used. */
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
   * Adds raw updates. One without `update_id` gets the next; those the bot does not listen to are dropped.
   * Returns the ids of those it will get.
   * @throws RangeError for an `update_id` not above those that wait.
   */
  addUpdates(updates: Iterable<NewUpdate>): number[] {
    return this.#account.add(updates);
  }

  /** Sets the id of the next update; lower than the last is possible once none waits. @throws RangeError otherwise. */
  jumpTo(nextUpdateId: number): void {
    this.#account.queue.jump(nextUpdateId);
  }

  /** Somebody writes to the bot. Returns the ids of the updates. */
  say(line: Line | string): number[] {
    return this.chats.say(typeof line === 'string' ? { text: line } : line);
  }

  /** Somebody writes to the bot and waits for its first answer. Rejects with the signal's reason. */
  ask(line: Omit<Line, 'count'> | string, signal?: AbortSignal): Promise<Exchange> {
    return this.chats.ask(typeof line === 'string' ? { text: line } : line, this.#orClosing(signal));
  }

  /** Somebody talks with the bot. Resolves at the end, or once the signal aborts or the sandbox closes. */
  converse(conversation: Conversation, signal?: AbortSignal): Promise<void> {
    return this.chats.converse(conversation, this.#orClosing(signal));
  }

  /** What was said and answered, in one chat or all. */
  exchanges(chat?: number): readonly Exchange[] {
    return this.chats.exchanges(chat);
  }

  /** How much was said that has no answer; cheap to ask, however much it is. */
  get unanswered(): number {
    return this.chats.unanswered;
  }

  /** The same in figures. */
  report(chat?: number): ChatReport {
    return this.chats.report(chat);
  }

  /** The newest calls, oldest first. */
  calls(filter: Omit<CallFilter, 'bot'> = {}): readonly Call[] {
    return this.#calls.list({ ...filter, bot: this.id });
  }

  /** How many calls of a method so far; case does not matter. */
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
