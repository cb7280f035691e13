/** The messages that people have sent through a bot's inline mode: the bot knows them by ids of their own. */

interface Place {
  readonly chat: number;
  readonly messageId: number;
}

export class InlineMessages {
  /** Where each message is, as far as the sandbox knows. */
  readonly #places = new Map<string, Place | undefined>();
  readonly #ids = new Map<string, string>();
  /** The newest update that names each message. */
  readonly #updates = new Map<string, number>();

  add(id: string, place?: Place): void {
    this.#places.set(id, place ?? this.#places.get(id));
    if (place) this.#ids.set(keyOf(place), id);
  }

  /** An update has named a message. */
  named(id: string, updateId: number): void {
    this.add(id);
    this.#updates.set(id, updateId);
  }

  /** The id of the newest update that has named a message. */
  updateOf(id: string): number | undefined {
    return this.#updates.get(id);
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  find(id: string): Place | undefined {
    return this.#places.get(id);
  }

  /** The id of a message of a chat, if it was sent through inline mode. */
  idOf(place: Place): string | undefined {
    return this.#ids.get(keyOf(place));
  }
}

const keyOf = ({ chat, messageId }: Place): string => `${chat}/${messageId}`;
