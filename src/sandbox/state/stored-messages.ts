/** The messages in the chats of a bot. Only the newest are kept. */
import type { Message } from '../message.js';

const LIMIT = 5_000;

export class StoredMessages {
  /** By chat and id, oldest first. */
  readonly #messages = new Map<string, Message>();
  /** The reactions of the bot, by chat and id. */
  readonly #reactions = new Map<string, readonly unknown[]>();
  readonly #onChange: (chat: number, id: number) => void;
  #lastId = 0;
  #lastForgotten = 0;

  /** Calls `onChange` with the chat and the id of each message that has come, was changed or deleted, or got a reaction. */
  constructor(onChange: (chat: number, id: number) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** Returns the id of the next message. In the sandbox, ids are unique across all chats of a bot. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Stores a message, or its newer state. No later message gets its id. */
  store(message: Message): void {
    this.#lastId = Math.max(this.#lastId, message.message_id);
    this.#messages.set(keyOf(message.chat.id, message.message_id), message);
    this.#onChange(message.chat.id, message.message_id);
    if (this.#messages.size <= LIMIT) return;
    const [oldest] = this.#messages;
    if (!oldest) return;
    this.#messages.delete(oldest[0]);
    this.#reactions.delete(oldest[0]);
    this.#lastForgotten = Math.max(this.#lastForgotten, oldest[1].message_id);
  }

  find(chatId: number, id: number): Message | undefined {
    return this.#messages.get(keyOf(chatId, id));
  }

  /** Whether there may have been a message with an id that is no longer kept. */
  mayHaveBeen(id: number): boolean {
    return id > 0 && id <= this.#lastForgotten;
  }

  /** Deletes a message. Returns whether there was one. */
  delete(chatId: number, id: number): boolean {
    this.#reactions.delete(keyOf(chatId, id));
    const wasThere = this.#messages.delete(keyOf(chatId, id));
    if (wasThere) this.#onChange(chatId, id);
    return wasThere;
  }

  /** Replaces the reactions of the bot to a message. */
  react(chatId: number, id: number, reactions: readonly unknown[]): void {
    if (reactions.length > 0) this.#reactions.set(keyOf(chatId, id), reactions);
    else this.#reactions.delete(keyOf(chatId, id));
    this.#onChange(chatId, id);
  }

  /** The reactions of the bot to a message. */
  reactions(chatId: number, id: number): readonly unknown[] {
    return this.#reactions.get(keyOf(chatId, id)) ?? [];
  }

  /** The newest messages of all chats, oldest first. */
  newest(count: number): readonly Message[] {
    return [...this.#messages.values()].slice(-count);
  }

  /** The messages of a chat, oldest first. */
  in(chatId: number): readonly Message[] {
    return [...this.#messages.values()].filter(({ chat }) => chat.id === chatId);
  }
}

const keyOf = (chatId: number, id: number): string => `${chatId}/${id}`;
