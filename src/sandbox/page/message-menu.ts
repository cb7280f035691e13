/** The menu of a message: reactions, reply, edit, deletion, and the way of its update. */
import type { MessageView } from '../page-protocol.js';
import type { Composer } from './composer.js';
import type { Context } from './context.js';
import { h } from './dom.js';
import { Menu } from './menu.js';
import { isOfBot } from './message-words.js';

const EMOJI = ['👍', '👎', '❤', '🔥', '🎉', '😁', '🤔', '👀'];

export class MessageMenu {
  readonly #context: Context;
  readonly #composer: Composer;
  readonly #menu = new Menu('Message');

  constructor(context: Context, composer: Composer) {
    this.#context = context;
    this.#composer = composer;
  }

  /** Opens the menu below a button. */
  open(view: MessageView, at: HTMLElement): void {
    const { store, server, author } = this.#context;
    const { chat, id, message, reactions } = view;
    const isOfPerson = !isOfBot(message);
    const has = (emoji: string) => reactions.some((reaction) => reaction.emoji === emoji);
    const react = (emoji: string) => () =>
      void server.act('react', {
        chat,
        message: id,
        from: author,
        emoji: has(emoji) ? undefined : emoji,
      });
    const emoji = EMOJI.map((name) => this.#menu.item(react(name), name));
    const update = store.updateOf(chat, id);
    const items: Node[] = [
      h('div', { class: 'emoji', role: 'group', 'aria-label': 'React' }, ...emoji),
      this.#menu.item(() => this.#composer.replyTo(view), 'Reply'),
    ];
    if (isOfPerson && typeof message['text'] === 'string')
      items.push(this.#menu.item(() => this.#composer.edit(view), 'Edit'));
    if (isOfPerson)
      items.push(this.#menu.item(() => void server.act('delete', { chat, message: id }), 'Delete'));
    if (update) items.push(this.#menu.item(() => this.#context.showUpdate(update.id), 'Show its way'));
    this.#menu.open(items, at);
  }
}
