/** The chat that is shown: its messages with the state of each, what the bot is doing, and the presses of buttons. */
import { Composer } from './composer.js';
import type { Context } from './context.js';
import { h, part, setText } from './dom.js';
import { MessageMenu } from './message-menu.js';
import { type MessageListener, messageContent } from './message-view.js';
import { alertBox, notice, speak } from './notices.js';
import type { ChatView, MessageView, News } from './protocol.js';
import { answersOf, stateInWords } from './way.js';

/** The most messages that are shown at once. */
const MAX_SHOWN = 1_000;
/** How long a chat shows what the bot is doing, unless the bot says it again: as in Telegram. */
const ACTION_MS = 5_000;
/** How close to its end a list counts as scrolled to the end, in pixels. */
const AT_END = 80;

export function conversationView(context: Context): void {
  const view = new Conversation(context);
  context.store.onNews((news, isSnapshot) => view.take(news, isSnapshot));
  context.onChat(() => view.show());
  setInterval(() => view.tick(), 500);
}

class Conversation implements MessageListener {
  readonly #context: Context;
  readonly #title = h('h2', {});
  readonly #subtitle = h('p', {});
  readonly #list = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages', 'aria-live': 'off' });
  readonly #scroller = h(
    'div',
    { class: 'scroller', tabindex: 0, 'aria-label': 'Messages', role: 'region' },
    this.#list,
  );
  readonly #action = h('p', { class: 'action', role: 'status' });
  readonly #composer: Composer;
  readonly #menu: MessageMenu;
  /** Whether the newest message stays in view, because the person has scrolled to it. */
  #followsNewest = true;
  #lastScrollTop = 0;
  readonly #shown = new Map<number, HTMLElement>();
  /** The chat whose messages are in the list. */
  #shownChat: number | undefined;
  /** The buttons that wait for the bot's answer, by the press. */
  readonly #pressed = new Map<string, HTMLButtonElement>();

  constructor(context: Context) {
    this.#context = context;
    this.#composer = new Composer(context);
    this.#menu = new MessageMenu(context, this.#composer);
    part('conversation').append(
      h('div', { class: 'head' }, this.#title, this.#subtitle),
      this.#scroller,
      this.#action,
      this.#composer.element,
    );
    this.#scroller.addEventListener('scroll', () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
      // The end also moves away while messages come and get their sizes: only a person scrolls up.
      if (scrollHeight - scrollTop - clientHeight < AT_END) this.#followsNewest = true;
      else if (scrollTop < this.#lastScrollTop) this.#followsNewest = false;
      this.#lastScrollTop = scrollTop;
    });
    // Pictures that load and keyboards that come change the sizes later on.
    const sizes = new ResizeObserver(() => this.#scrollToNewest());
    sizes.observe(this.#list);
    sizes.observe(this.#scroller);
    this.show();
  }

  /** Shows another chat, or everything anew. */
  show(): void {
    const { store, chat: id } = this.#context;
    const chat = id === undefined ? undefined : store.chats.get(id);
    this.#shown.clear();
    this.#shownChat = chat?.id;
    this.#composer.show(chat);
    this.#showHead(chat);
    if (!chat) {
      this.#list.replaceChildren(this.#welcome());
      return;
    }
    const messages = store.messagesOf(chat.id).slice(-MAX_SHOWN);
    this.#list.replaceChildren(...messages.map((message) => this.#make(message)));
    if (messages.length === 0) this.#list.replaceChildren(this.#beginning(chat));
    this.#followsNewest = true;
    this.#scrollToNewest();
    this.tick();
  }

  take(news: News, isSnapshot: boolean): void {
    this.#settlePresses(news);
    if (isSnapshot) {
      this.#pressed.clear();
      this.show();
      return;
    }
    const { chat } = this.#context;
    if (chat === undefined) return;
    // A chat that was just added is only known by now.
    if (chat !== this.#shownChat && this.#context.store.chats.has(chat)) {
      this.show();
      return;
    }
    const messages = (news.messages ?? []).filter((message) => message.chat === chat);
    if (messages.length > 0) this.#addAll(messages);
    for (const { id } of (news.deleted ?? []).filter((gone) => gone.chat === chat)) this.#delete(id);
    for (const update of news.updates ?? []) {
      const { message } = this.#context.store.content(update);
      if (update.chat === chat && message !== undefined) this.#showState(chat, message);
    }
    const changed = news.chats?.find(({ id }) => id === chat);
    if (!changed) return;
    this.#composer.show(changed);
    this.#showHead(changed);
    this.tick();
  }

  /** Shows what the bot is doing, while that holds. */
  tick(): void {
    const { store, chat: id } = this.#context;
    const action = id === undefined ? undefined : store.chats.get(id)?.action;
    const name = store.bot?.name ?? 'The bot';
    const holds =
      action !== undefined && store.nowMs - action.atMs < ACTION_MS && !this.#hasSpokenSince(action.atMs);
    setText(this.#action, holds ? `${name} is ${actionInWords(action.name)}…` : '');
  }

  press(message: MessageView, name: string, button: HTMLButtonElement): void {
    button.setAttribute('aria-busy', 'true');
    const { server } = this.#context;
    const from = this.#composer.author;
    void server
      .act('press', { chat: message.chat, message: message.id, button: name, from })
      .then((pressed) => {
        const id = pressed?.['press'];
        if (typeof id !== 'string') button.removeAttribute('aria-busy');
        else if (!this.#answer(id, button)) this.#pressed.set(id, button);
      });
  }

  vote({ chat, id }: MessageView, option: number): void {
    const { server } = this.#context;
    void server.act('vote', { chat, message: id, options: [option], from: this.#composer.author });
  }

  say(text: string): void {
    this.#composer.say(text);
  }

  openMenu(message: MessageView, at: HTMLElement): void {
    this.#menu.open(message, at);
  }

  #settlePresses({ presses = [], updates = [] }: News): void {
    for (const { id } of presses) {
      const button = this.#pressed.get(id);
      if (button) this.#answer(id, button);
    }
    // Nobody answers a press whose update is gone.
    const gone = updates
      .filter(({ state }) => state === 'expired' || state === 'dropped')
      .map(({ id }) => id);
    if (gone.length === 0) return;
    for (const [id, button] of this.#pressed) {
      const { updateId } = this.#context.store.presses.get(id) ?? {};
      if (updateId !== undefined && gone.includes(updateId)) this.#release(id, button);
    }
  }

  /** Shows the bot's answer to a press. Returns whether there is one. */
  #answer(id: string, button: HTMLButtonElement): boolean {
    const { answer } = this.#context.store.presses.get(id) ?? {};
    if (!answer) return false;
    this.#release(id, button);
    if (answer.text !== '' && answer.alert) alertBox(this.#context.store.bot?.name ?? 'The bot', answer.text);
    else if (answer.text !== '') notice(answer.text);
    if (answer.url !== '') notice(`The bot opens ${answer.url}`);
    return true;
  }

  #release(id: string, button: HTMLButtonElement): void {
    button.removeAttribute('aria-busy');
    this.#pressed.delete(id);
  }

  #addAll(messages: readonly MessageView[]): void {
    if (this.#shown.size === 0) this.#list.replaceChildren();
    for (const message of messages) {
      const before = this.#shown.get(message.id);
      const made = this.#make(message);
      if (before) before.replaceWith(made);
      else this.#list.append(made);
    }
    while (this.#shown.size > MAX_SHOWN) {
      const [oldest] = this.#shown;
      if (!oldest) break;
      oldest[1].remove();
      this.#shown.delete(oldest[0]);
    }
    this.#scrollToNewest();
    const newest = messages.at(-1);
    if (newest) this.#speak(newest);
  }

  #scrollToNewest(): void {
    if (this.#followsNewest) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #speak({ message }: MessageView): void {
    const { from, text, caption } = message;
    const author = from as { readonly first_name?: string; readonly is_bot?: boolean } | undefined;
    if (author?.is_bot) speak(`${author.first_name}: ${text ?? caption ?? 'a message without words'}`);
  }

  #make(view: MessageView): HTMLElement {
    const from = view.message['from'] as { readonly is_bot?: boolean } | undefined;
    const made = h(
      'article',
      { class: `message ${from?.is_bot ? 'of-bot' : 'of-person'}`, 'data-id': view.id },
      ...messageContent(this.#context, view, this),
    );
    this.#shown.set(view.id, made);
    if (!from?.is_bot) this.#showState(view.chat, view.id);
    return made;
  }

  #delete(id: number): void {
    const element = this.#shown.get(id);
    if (!element) return;
    element.replaceChildren(h('p', { class: 'service' }, 'message deleted'));
    this.#shown.delete(id);
  }

  /** Shows below a person's message where its update is. */
  #showState(chat: number, message: number): void {
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
    if (!known) element.append(state);
    state.dataset['state'] = answersOf(update).first ? 'answered' : update.state;
    setText(state, stateInWords(update));
  }

  /** Whether the bot has sent a message to the chat after a time of the server's clock, as far as seconds tell. */
  #hasSpokenSince(atMs: number): boolean {
    const { store, chat } = this.#context;
    const sinceSeconds = (Date.now() - (store.nowMs - atMs)) / 1_000;
    const last = this.#list.lastElementChild;
    if (chat === undefined || !last?.classList.contains('of-bot')) return false;
    const message = store.message(chat, Number(last.getAttribute('data-id')));
    return message !== undefined && Number(message.message['date']) >= Math.floor(sinceSeconds);
  }

  #showHead(chat: ChatView | undefined): void {
    setText(this.#title, chat?.title ?? 'Chat with your bot');
    const people =
      chat && chat.type !== 'private' ? chat.people.map(({ name }) => name).join(', ') : undefined;
    const bot = this.#context.store.bot;
    setText(this.#subtitle, chat ? `${people ?? 'private chat'} with @${bot?.username ?? 'the bot'}` : '');
  }

  #welcome(): Node {
    const { store, server } = this.#context;
    const begin = async () => {
      const added = await server.act('person', { name: 'Ada' });
      if (added) this.#context.showChat(Number(added['chat']));
    };
    return h(
      'div',
      { class: 'welcome' },
      h('h3', {}, 'A place to try your bot'),
      h(
        'p',
        {},
        'Nothing here reaches Telegram. Write as anybody, press the bot’s buttons, cut its network, and see what happens to each update.',
      ),
      ...(store.process || store.bot?.lastCallAtMs !== undefined
        ? []
        : [h('p', {}, 'No bot is connected yet. In another terminal:'), h('pre', {}, store.server.connect)]),
      h(
        'button',
        { type: 'button', class: 'primary', on: { click: () => void begin() } },
        'Write to the bot as Ada',
      ),
    );
  }

  #beginning(chat: ChatView): Node {
    return h(
      'div',
      { class: 'welcome' },
      h(
        'p',
        {},
        chat.type === 'private'
          ? `${chat.title} has not written yet. Most bots begin with /start.`
          : 'Nobody has written here yet.',
      ),
      h('button', { type: 'button', class: 'primary', on: { click: () => this.say('/start') } }, 'Start'),
    );
  }
}

const actionInWords = (name: string): string =>
  name === 'typing'
    ? 'typing'
    : name.replace('upload_', 'sending a ').replace('record_', 'recording a ').replaceAll('_', ' ');
