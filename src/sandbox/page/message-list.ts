/** The messages of a chat, oldest first, each with the state of its update; the newest stays in view. */
import type { MessageView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, setText } from './dom.js';
import { type MessageListener, messageContent } from './message-view.js';
import { authorOf, isOfBot, messageInWords } from './message-words.js';
import { RovingFocus } from './roving-focus.js';
import { answersOf, stateInWords } from './way.js';

/** The most messages that are shown at once. */
const MAX_SHOWN = 1_000;
/** How close to its end a list counts as scrolled to the end, in pixels. */
const AT_END = 80;
/** The most characters of a message in its name for assistive technology. */
const MAX_NAME_LENGTH = 200;

export class MessageList {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #listener: MessageListener;
  readonly #list = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages', 'aria-live': 'off' });
  readonly #focus = new RovingFocus(this.#list, { items: '.message', begins: 'last' });
  readonly #shown = new Map<number, HTMLElement>();
  /** Each message as it is shown. */
  readonly #states = new WeakMap<HTMLElement, string>();
  /** Whether the newest message stays in view, because the person has scrolled to it. */
  #followsNewest = true;
  #lastScrollTop = 0;

  constructor(context: Context, listener: MessageListener) {
    this.#context = context;
    this.#listener = listener;
    this.element = h('div', { class: 'scroller' }, this.#list);
    this.element.addEventListener('scroll', () => this.#scrolled());
    // Messages that come, pictures that load and keyboards change the sizes. Told of it by then, the browser need not find
    // out the sizes any earlier.
    const sizes = new ResizeObserver(() => this.#scrollToNewest());
    sizes.observe(this.#list);
    sizes.observe(this.element);
  }

  /** Shows other messages; without any, a text in their place. */
  show(messages: readonly MessageView[], emptiness: Node): void {
    this.#shown.clear();
    const made = messages.slice(-MAX_SHOWN).map((message) => this.#make(message));
    this.#list.replaceChildren(...(made.length > 0 ? made : [emptiness]));
    this.#focus.settle();
    this.#followsNewest = true;
    this.#scrollToNewest();
  }

  /** Adds messages, or replaces those that are shown by their newer states. */
  add(messages: readonly MessageView[]): void {
    if (this.#shown.size === 0) this.#list.replaceChildren();
    for (const message of messages) {
      const before = this.#shown.get(message.id);
      // A message also comes again when somebody refers to it. What is busy or has the focus in it stays as it is.
      if (before && this.#states.get(before) === JSON.stringify(message)) continue;
      const made = this.#make(message);
      if (before) this.#replace(before, made);
      else this.#list.append(made);
    }
    while (this.#shown.size > MAX_SHOWN) {
      const [oldest] = this.#shown;
      if (!oldest) break;
      oldest[1].remove();
      this.#shown.delete(oldest[0]);
    }
    this.#focus.settle();
  }

  delete(id: number): void {
    const element = this.#shown.get(id);
    if (!element) return;
    element.replaceChildren(h('p', { class: 'service' }, 'message deleted'));
    element.setAttribute('aria-label', 'message deleted');
    this.#shown.delete(id);
  }

  /** Shows below a person's message where its update is. */
  showState(chat: number, message: number): void {
    const element = this.#shown.get(message);
    const update = this.#context.store.updateOf(chat, message);
    if (!element || !update) return;
    const known = element.querySelector<HTMLButtonElement>('.state');
    const state =
      known ??
      h('button', {
        type: 'button',
        class: 'state',
        title: 'Show the way of this update',
        on: { click: () => this.#context.showUpdate(update.id) },
      });
    if (!known) {
      element.append(state);
      this.#focus.add(element);
    }
    state.dataset['state'] = answersOf(update).first ? 'answered' : update.state;
    setText(state, stateInWords(update));
  }

  /** The id of the newest message, if it is one of the bot. */
  get newestOfBot(): number | undefined {
    const last = this.#list.lastElementChild;
    return last?.classList.contains('of-bot') ? Number(last.getAttribute('data-id')) : undefined;
  }

  #make(view: MessageView): HTMLElement {
    const { message, chat, id } = view;
    const made = h(
      'article',
      {
        class: `message ${isOfBot(message) ? 'of-bot' : 'of-person'}`,
        'data-id': id,
        'aria-label': `${authorOf(message)}: ${messageInWords(message).slice(0, MAX_NAME_LENGTH)}`,
      },
      ...messageContent(this.#context.server, view, this.#listener),
    );
    this.#shown.set(id, made);
    this.#states.set(made, JSON.stringify(view));
    this.#focus.add(made);
    if (!isOfBot(message)) this.showState(chat, id);
    return made;
  }

  /** A person who was at a message or one of its buttons stays at the message. */
  #replace(before: HTMLElement, made: HTMLElement): void {
    const hadFocus = before.contains(document.activeElement);
    before.replaceWith(made);
    if (hadFocus) made.focus();
  }

  #scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    // The end also moves away while messages come and get their sizes: only a person scrolls up.
    if (scrollHeight - scrollTop - clientHeight < AT_END) this.#followsNewest = true;
    else if (scrollTop < this.#lastScrollTop) this.#followsNewest = false;
    this.#lastScrollTop = scrollTop;
  }

  #scrollToNewest(): void {
    if (this.#followsNewest) this.element.scrollTop = this.element.scrollHeight;
  }
}
