/** The chats and people that a bot's messages have named, so that each keeps its name. */
import { type Chat, chat, type Message, person, type User } from './message.js';

export class KnownChats {
  readonly #chats = new Map<number, Chat>();
  readonly #people = new Map<number, User>();

  /** Returns the person with an id, who is renamed if a name is given. */
  person(id: number, name?: string): User {
    const known = this.#people.get(Math.abs(id));
    if (known && (name === undefined || name === known.first_name)) return known;
    const named = person(id, name);
    this.#people.set(named.id, named);
    return named;
  }

  /** Returns the chat with an id. A private chat has the name of its person. */
  chat(id: number): Chat {
    return this.#chats.get(id) ?? chat(id, this.#people.get(id)?.first_name);
  }

  /** Remembers the chat and the person of a message. */
  learn({ chat, from }: Pick<Message, 'chat'> & { readonly from?: User }): void {
    if (chat.type !== 'private' || chat.id !== from?.id) this.#chats.set(chat.id, chat);
    if (from) this.#people.set(from.id, from);
  }
}
