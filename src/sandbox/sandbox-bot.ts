/** A test's handle to a bot of a sandbox: chats with the bot, sends it updates, and observes its calls. */
import type { BotAccount } from './bot-account.js';
import { type Press, press } from './buttons.js';
import type { Call, CallFilter, Calls } from './calls.js';
import { Chats, type ChatsOptions } from './chats.js';
import type { Chat, Message, User } from './message.js';
import type { BotCommand } from './state/bot-commands.js';
import type { ChatDetails } from './state/known-chats.js';
import type { ChatMember } from './state/members.js';
import type { Query } from './state/queries.js';
import type { UpdateFilter } from './state/update-log.js';
import type { UpdateRecord } from './state/update-record.js';
import type { NewUpdate } from './update-parser.js';
import { type Vote, vote } from './votes.js';

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

/** A chat as everybody in it sees it. */
export interface ChatState extends ChatDetails {
  readonly chat: Chat;
  readonly members: readonly ChatMember[];
}

/** A message as it is now, and the bot's reactions to it. */
export interface MessageState {
  readonly message: Message;
  readonly reactions: readonly unknown[];
}

export interface SandboxBotParts extends ChatsOptions {
  readonly calls: Calls;
}

export class SandboxBot extends Chats {
  readonly #account: BotAccount;
  readonly #calls: Calls;

  constructor(parts: SandboxBotParts) {
    super(parts);
    this.#account = parts.account;
    this.#calls = parts.calls;
  }

  /** Everything that the server keeps for the bot. */
  get account(): BotAccount {
    return this.#account;
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
   * @throws RangeError for an update without exactly one known kind, or an `update_id` that is not above all queued ids
   */
  addUpdates(updates: Iterable<NewUpdate>): number[] {
    return this.#account.add(updates);
  }

  /**
   * Presses a button in a person's name. Returns the ids of the updates: none if the bot does not get such updates.
   *
   * @throws RangeError if there is no such button, or if Telegram tells bots nothing of it
   */
  press(pressed: Press): number[] {
    const result = press(this.#account, pressed);
    if ('says' in result) return this.say({ chat: pressed.chat, fromId: pressed.fromId, text: result.says });
    return result.updateId === undefined ? [] : [result.updateId];
  }

  /** Votes in a poll of the bot. Returns the ids of the updates. @throws RangeError for a vote that the poll does not take */
  vote(cast: Vote): number[] {
    return vote(this.#account, cast);
  }

  /** The newest updates that match and their way, oldest first. */
  updates(filter: UpdateFilter = {}): readonly UpdateRecord[] {
    return this.#account.updates.list(filter);
  }

  /** What is known of an update, or undefined if it is too old or was never there. */
  update(id: number): UpdateRecord | undefined {
    return this.#account.updates.find(id);
  }

  /** All people whom the bot's messages have named. */
  people(): readonly User[] {
    return this.#account.chats.people();
  }

  /** All chats that the bot's messages have named. */
  chats(): readonly ChatState[] {
    const { chats, members } = this.#account;
    return chats.list().map((chat) => ({ chat, members: members.in(chat.id), ...chats.details(chat.id) }));
  }

  /** The messages of a chat that are kept, as they are now, oldest first. */
  messages(chat: number): readonly MessageState[] {
    const { messages } = this.#account;
    return messages
      .in(chat)
      .map((message) => ({ message, reactions: messages.reactions(chat, message.message_id) }));
  }

  /** The newest button presses, inline queries and payments, with the bot's answers. */
  queries(): readonly Query[] {
    return this.#account.queries.list();
  }

  /** The commands that a person is shown in a chat. */
  commands(chat: number, person = chat): readonly BotCommand[] {
    const { chats, commands, members } = this.#account;
    const user = chats.person(person);
    return commands.shownTo({
      chat,
      user: user.id,
      isAdministrator: ['administrator', 'creator'].includes(members.of(chat, user).status),
      language: user.language_code ?? '',
    });
  }

  /** Sets the id of the next update. @throws RangeError for a lower id while updates are queued */
  jumpTo(nextUpdateId: number): void {
    this.#account.queue.setNextId(nextUpdateId);
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
}
