/** The topics of forums that a bot has created or seen. */

/** The first of the six colours that an icon may have. */
export const DEFAULT_TOPIC_COLOUR = 0x6fb9f0;

/** A topic in the format of the Bot API. */
export interface ForumTopic {
  readonly message_thread_id: number;
  readonly name: string;
  readonly icon_color: number;
  readonly icon_custom_emoji_id?: string;
}

interface KnownTopic extends ForumTopic {
  readonly isClosed: boolean;
}

export class ForumTopics {
  readonly #topics = new Map<string, KnownTopic>();

  add(chat: number, topic: ForumTopic): void {
    this.#topics.set(`${chat}/${topic.message_thread_id}`, { ...topic, isClosed: false });
  }

  /** Remembers a topic that somebody else has created, of which no more than its id is known. */
  learn(chat: number, thread: number): void {
    if (this.find(chat, thread)) return;
    this.add(chat, { message_thread_id: thread, name: `Topic ${thread}`, icon_color: DEFAULT_TOPIC_COLOUR });
  }

  find(chat: number, thread: number): KnownTopic | undefined {
    return this.#topics.get(`${chat}/${thread}`);
  }

  change(chat: number, thread: number, changes: Partial<KnownTopic>): void {
    const topic = this.find(chat, thread);
    if (topic) this.#topics.set(`${chat}/${thread}`, { ...topic, ...changes });
  }

  delete(chat: number, thread: number): boolean {
    return this.#topics.delete(`${chat}/${thread}`);
  }
}
