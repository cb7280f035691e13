/** The menu of a message: reactions, reply, edit, and the way of its update. */
import type { Composer } from './composer.js';
import type { Context } from './context.js';
import { h } from './dom.js';
import type { MessageView } from './protocol.js';

const EMOJI = ['👍', '👎', '❤', '🔥', '🎉', '😁', '🤔', '👀'];

export class MessageMenu {
  readonly #context: Context;
  readonly #composer: Composer;
  readonly #element = h('div', { class: 'menu', role: 'menu', popover: 'auto' });

  constructor(context: Context, composer: Composer) {
    this.#context = context;
    this.#composer = composer;
    document.body.append(this.#element);
    this.#element.addEventListener('keydown', (event) => this.#move(event));
  }

  /** Opens the menu below a button. */
  open(view: MessageView, at: HTMLElement): void {
    const { store, server } = this.#context;
    const { chat, id, message } = view;
    const from = message['from'] as { readonly id?: number; readonly is_bot?: boolean } | undefined;
    const author = this.#composer.author;
    const mine = view.reactions.map(({ emoji }) => emoji);
    const react = (emoji: string) => () =>
      void server.act('react', {
        chat,
        message: id,
        from: author,
        emoji: mine.includes(emoji) ? undefined : emoji,
      });
    const update = store.updateOf(chat, id);
    const items = [
      h(
        'div',
        { class: 'emoji', role: 'group', 'aria-label': 'React' },
        ...EMOJI.map((emoji) => this.#item(emoji, react(emoji))),
      ),
      this.#item('Reply', () => this.#composer.replyTo(view)),
      ...(from?.is_bot || typeof message['text'] !== 'string'
        ? []
        : [this.#item('Edit', () => this.#composer.edit(view))]),
      ...(update ? [this.#item('Show its way', () => this.#context.showUpdate(update.id))] : []),
    ];
    this.#element.replaceChildren(...items);
    this.#element.showPopover();
    const { bottom, left, top } = at.getBoundingClientRect();
    const { width, height } = this.#element.getBoundingClientRect();
    this.#element.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    this.#element.style.top = `${bottom + height > innerHeight - 8 ? Math.max(8, top - height) : bottom}px`;
    this.#element.querySelector('button')?.focus();
  }

  #item(label: string, act: () => void): HTMLButtonElement {
    const chosen = () => {
      this.#element.hidePopover();
      act();
    };
    return h('button', { type: 'button', role: 'menuitem', on: { click: chosen } }, label);
  }

  #move(event: KeyboardEvent): void {
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowRight: 1,
      ArrowUp: -1,
      ArrowLeft: -1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = [...this.#element.querySelectorAll('button')];
    const index = items.findIndex((item) => item.matches(':focus'));
    items[(index + step + items.length) % items.length]?.focus();
  }
}
