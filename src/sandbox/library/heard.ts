/** What a bot has written, in the order in which people come to see it: its messages, and each of its edits. */
import type { BotAccount } from '../bot-account.js';
import type { Changes } from '../changes.js';
import { isServiceMessage, type Message } from '../message.js';
import { type SeenMessage, seenMessage } from './seen-message.js';

export class Heard {
  readonly #byChat = new Map<number, SeenMessage[]>();
  /** The content of each message when it was seen last, by chat and id. */
  readonly #contents = new Map<string, string>();

  constructor(account: BotAccount, changes: Changes) {
    changes.subscribe((change) => {
      if (change.kind !== 'message' || change.bot !== account.id) return;
      const message = account.messages.find(change.chat, change.id);
      if (message && message.from?.id === account.id && !isServiceMessage(message))
        this.#see(account, message);
    });
  }

  /** The messages of the bot in a chat, and their edits, oldest first. */
  in(chat: number): readonly SeenMessage[] {
    return this.#byChat.get(chat) ?? [];
  }

  /** The messages of the bot and their edits in all chats but one. */
  except(chat: number): readonly SeenMessage[] {
    return [...this.#byChat].flatMap(([id, messages]) => (id === chat ? [] : messages));
  }

  #see(account: BotAccount, message: Message): void {
    const key = `${message.chat.id}/${message.message_id}`;
    const content = contentOf(message);
    // A reaction, or a vote of somebody, is nothing that the bot writes.
    if (this.#contents.get(key) === content) return;
    this.#contents.set(key, content);
    const list = this.#byChat.get(message.chat.id) ?? [];
    list.push(seenMessage(account, message));
    this.#byChat.set(message.chat.id, list);
  }
}

const contentOf = ({ poll: _poll, ...message }: Message): string => JSON.stringify(message);
