/** The messages in the chats of a bot. The newest are kept, and those of which the bot has yet to hear. */
import type { Clock } from '../../clock.js';
import type { Message } from '../message.js';

/** The number of newest messages that are kept, and at most twice as many. */
const LIMIT = 5_000;

interface Stored {
  readonly message: Message;
  /** The update that has brought the message to the bot. */
  readonly updateId: number | undefined;
  /** When the message has come, by the clock of the sandbox: its `date` is what somebody says, and goes by another clock. */
  readonly atMs: number;
}

export interface StoredMessagesOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Whether an update is still in the bot's queue. */
  readonly isWaiting: (updateId: number) => boolean;
  /** Called with the chat and the id of each message that has come, was changed or deleted, or got a reaction. */
  readonly onChange?: (chat: number, id: number) => void;
}

export class StoredMessages {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #isWaiting: (updateId: number) => boolean;
  /** By chat and id, oldest first. */
  #stored = new Map<string, Stored>();
  /** The number of messages at which the oldest are forgotten. */
  #trimAt = 2 * LIMIT;
  /** The reactions of the bot, by chat and id. */
  readonly #reactions = new Map<string, readonly unknown[]>();
  readonly #onChange: (chat: number, id: number) => void;
  #lastId = 0;
  #lastForgotten = 0;

  constructor({ clock, isWaiting, onChange = () => {} }: StoredMessagesOptions) {
    this.#clock = clock;
    this.#isWaiting = isWaiting;
    this.#onChange = onChange;
  }

  /** Returns the id of the next message. In the sandbox, ids are unique across all chats of a bot. */
  nextId(): number {
    return ++this.#lastId;
  }

  /**
   * Stores a message, or its newer state, which keeps its place. No later message gets its id. It is not forgotten while the
   * update waits that brings it to the bot.
   */
  store(message: Message, updateId?: number): void {
    this.#lastId = Math.max(this.#lastId, message.message_id);
    const key = keyOf(message.chat.id, message.message_id);
    const former = this.#stored.get(key);
    this.#stored.set(key, {
      message,
      updateId: updateId ?? former?.updateId,
      atMs: former?.atMs ?? this.#clock.now(),
    });
    this.#onChange(message.chat.id, message.message_id);
    if (this.#stored.size >= this.#trimAt) this.#trim();
  }

  /** Forgets many at once: taking the oldest out of a `Map`, one by one, would pass all those that were taken out before. */
  #trim(): void {
    let surplus = this.#stored.size - LIMIT;
    const kept = new Map<string, Stored>();
    for (const [key, stored] of this.#stored) {
      const { message, updateId } = stored;
      if (surplus === 0 || (updateId !== undefined && this.#isWaiting(updateId))) {
        kept.set(key, stored);
        continue;
      }
      surplus--;
      this.#reactions.delete(key);
      this.#lastForgotten = Math.max(this.#lastForgotten, message.message_id);
    }
    this.#stored = kept;
    this.#trimAt = kept.size + LIMIT;
  }

  find(chatId: number, id: number): Message | undefined {
    return this.#stored.get(keyOf(chatId, id))?.message;
  }

  /** How long ago a message has come, in milliseconds; undefined if it is not there. */
  ageMs(chatId: number, id: number): number | undefined {
    const stored = this.#stored.get(keyOf(chatId, id));
    return stored && this.#clock.now() - stored.atMs;
  }

  /** Whether there may have been a message with an id that is no longer kept. */
  mayHaveBeen(id: number): boolean {
    return id > 0 && id <= this.#lastForgotten;
  }

  /** Deletes a message. Returns whether there was one. */
  delete(chatId: number, id: number): boolean {
    this.#reactions.delete(keyOf(chatId, id));
    const wasThere = this.#stored.delete(keyOf(chatId, id));
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
    return [...this.#stored.values()].slice(-count).map(({ message }) => message);
  }

  /** The messages of a chat, oldest first. */
  in(chatId: number): readonly Message[] {
    return [...this.#stored.values()].flatMap(({ message }) => (message.chat.id === chatId ? [message] : []));
  }
}

const keyOf = (chatId: number, id: number): string => `${chatId}/${id}`;
