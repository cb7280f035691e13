/** The menu of a chat: a person blocks the bot, people join a group or leave it. */
import type { ChatView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, icon } from './dom.js';
import { Menu } from './menu.js';

export class ChatMenu {
  readonly #context: Context;
  readonly #menu = new Menu('Chat');
  /** The button that opens it. */
  readonly element: HTMLButtonElement;

  constructor(context: Context) {
    this.#context = context;
    this.element = h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': 'Who is in the chat',
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        on: { click: () => this.#open() },
      },
      icon('more'),
    );
    this.show(undefined);
  }

  /** Shows the button, where there is a chat that has something to choose. */
  show(chat: ChatView | undefined): void {
    this.element.hidden = !chat || this.#items(chat).length === 0;
  }

  #open(): void {
    const { store, chat: id } = this.#context;
    const chat = id === undefined ? undefined : store.chats.get(id);
    if (chat) this.#menu.open(this.#items(chat), this.element);
  }

  #items(chat: ChatView): readonly Node[] {
    const { store, server } = this.#context;
    const item = (action: string, fields: object, words: string) =>
      this.#menu.item(() => void server.act(action, { chat: chat.id, ...fields }), words);
    if (chat.type === 'private')
      return [
        chat.isBlocked
          ? item('block', { do: 'unblock' }, 'Unblock the bot')
          : item('block', { do: 'block' }, 'Block the bot'),
      ];
    if (chat.type === 'channel') return [];
    const inChat = new Set(chat.people.map(({ id }) => id));
    const others = [...store.chats.values()].filter(({ id, type }) => type === 'private' && !inChat.has(id));
    return [
      ...others.map(({ id, title }) => item('move', { from: id, do: 'join' }, `${title} joins`)),
      // Somebody has to be left who writes.
      ...(chat.people.length < 2 ? [] : chat.people).map(({ id, name }) =>
        item('move', { from: id, do: 'leave' }, `${name} leaves`),
      ),
    ];
  }
}
