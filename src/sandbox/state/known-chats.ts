/** The chats and people that a bot's messages have named, so that each keeps its name. */
import { type Chat, chat, type Message, person, type User } from '../message.js';

/** What a chat has beside its name, as far as somebody has set it. */
export interface ChatDetails {
  description?: string;
  permissions?: Readonly<Record<string, boolean>>;
  photo?: object;
  stickerSet?: string;
  /** The reply keyboard that a person sees below the chat, or the request for a reply. */
  replyMarkup?: object;
  /** What the bot shows to be doing, and since when. */
  action?: { readonly name: string; readonly atMs: number };
  /** The ids of the pinned messages, the newest last. */
  pinned: readonly number[];
}

export class KnownChats {
  readonly #chats = new Map<number, Chat>();
  readonly #people = new Map<number, User>();
  readonly #details = new Map<number, ChatDetails>();

  /** Returns the person with an id, who is renamed if a name is given. */
  person(id: number, name?: string): User {
    const known = this.#people.get(Math.abs(id));
    if (known && (name === undefined || name === known.first_name)) return known;
    const named = person(id, name);
    this.#people.set(named.id, named);
    // A private chat has the name of its person.
    this.#chats.delete(named.id);
    return named;
  }

  /** Returns the chat with an id. */
  chat(id: number): Chat {
    const known = this.#chats.get(id);
    if (known) return known;
    const created = chat(id, this.#people.get(id)?.first_name);
    this.#chats.set(id, created);
    return created;
  }

  /** Changes the title of a group, or whether it has topics. */
  change(id: number, changes: Pick<Partial<Chat>, 'title' | 'is_forum'>): Chat {
    const changed = { ...this.chat(id), ...changes };
    this.#chats.set(id, changed);
    return changed;
  }

  /** Returns the details of a chat, which may be changed. */
  details(id: number): ChatDetails {
    const known = this.#details.get(id);
    if (known) return known;
    const created: ChatDetails = { pinned: [] };
    this.#details.set(id, created);
    return created;
  }

  /** Remembers the chat and the person of a message. */
  learn({ chat, from }: Pick<Message, 'chat'> & { readonly from?: User }): void {
    if (from) this.#people.set(from.id, from);
    this.#chats.set(chat.id, chat);
  }

  /** Returns the first id that no chat and no person has, from `first` on. */
  freeId(first: number, step: 1 | -1): number {
    let free = first;
    while (this.#chats.has(free) || this.#people.has(free)) free += step;
    return free;
  }

  list(): readonly Chat[] {
    return [...this.#chats.values()];
  }

  /** All who are no bots. */
  people(): readonly User[] {
    return [...this.#people.values()].filter(({ is_bot }) => !is_bot);
  }
}
