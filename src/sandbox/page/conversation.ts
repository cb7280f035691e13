/** The chat that is shown: its head, its messages, what the bot is doing, and where a person writes. */
import type { ChatView, MessageView, News } from '../page-protocol.js';
import { ChatMenu } from './chat-menu.js';
import { Composer } from './composer.js';
import type { Context } from './context.js';
import { h, part, setText } from './dom.js';
import { MessageList } from './message-list.js';
import { MessageMenu } from './message-menu.js';
import type { MessageListener } from './message-view.js';
import { isOfBot, messageInWords } from './message-words.js';
import { speak } from './notices.js';
import { Presses } from './presses.js';
import { beginning, welcome } from './welcome.js';

/** How long a chat shows what the bot is doing, unless the bot says it again: as in Telegram. */
const ACTION_MS = 5_000;
const REFRESH_MS = 500;

export function conversationView(context: Context): void {
  const view = new Conversation(context);
  context.store.onNews((news, isSnapshot) => view.take(news, isSnapshot));
  context.onChat(() => view.show());
  setInterval(() => view.showAction(), REFRESH_MS);
}

class Conversation implements MessageListener {
  readonly #context: Context;
  readonly #title = h('h2', {});
  readonly #subtitle = h('p', {});
  readonly #action = h('p', { class: 'action', role: 'status' });
  readonly #list: MessageList;
  readonly #composer: Composer;
  readonly #chatMenu: ChatMenu;
  readonly #menu: MessageMenu;
  readonly #presses: Presses;
  /** The chat whose messages are in the list. */
  #shownChat: number | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#composer = new Composer(context, () => this.show());
    this.#chatMenu = new ChatMenu(context);
    this.#menu = new MessageMenu(context, this.#composer);
    this.#presses = new Presses(context);
    this.#list = new MessageList(context, this);
    part('conversation').append(
      h('div', { class: 'head' }, this.#title, this.#subtitle, this.#chatMenu.element),
      this.#list.element,
      this.#action,
      this.#composer.element,
    );
    this.show();
  }

  /** Shows another chat, or everything anew. */
  show(): void {
    const { store, chat: id } = this.#context;
    const chat = id === undefined ? undefined : store.chats.get(id);
    this.#shownChat = chat?.id;
    this.#composer.show(chat);
    this.#showHead(chat);
    if (chat)
      this.#list.show(
        store.messagesOf(chat.id),
        beginning(chat, (text) => this.say(text)),
      );
    else this.#list.show([], welcome(this.#context));
    this.showAction();
  }

  take(news: News, isSnapshot: boolean): void {
    this.#presses.take(news);
    if (isSnapshot) {
      this.#presses.clear();
      this.show();
      return;
    }
    const { chat, store } = this.#context;
    if (chat === undefined) return;
    // A chat that was just added is only known by now.
    if (chat !== this.#shownChat && store.chats.has(chat)) this.show();
    else this.#takeNewsOf(chat, news);
  }

  #takeNewsOf(chat: number, { messages = [], deleted = [], updates = [], chats = [] }: News): void {
    const added = messages.filter((message) => message.chat === chat);
    if (added.length > 0) {
      this.#list.add(added);
      speakNewest(added);
    }
    for (const { id } of deleted.filter((gone) => gone.chat === chat)) this.#list.delete(id);
    for (const update of updates) {
      const { message } = this.#context.store.content(update);
      if (update.chat === chat && message !== undefined) this.#list.showState(chat, message);
    }
    const changed = chats.find(({ id }) => id === chat);
    if (!changed) return;
    this.#composer.show(changed);
    this.#showHead(changed);
    this.showAction();
  }

  /** Shows what the bot is doing, while that holds. */
  showAction(): void {
    const { store, chat: id } = this.#context;
    const action = id === undefined ? undefined : store.chats.get(id)?.action;
    const name = store.bot?.name ?? 'The bot';
    const holds =
      action !== undefined && store.nowMs - action.atMs < ACTION_MS && !this.#hasSpokenSince(action.atMs);
    setText(this.#action, holds ? `${name} is ${actionInWords(action.name)}…` : '');
  }

  get author(): number | undefined {
    return this.#context.author;
  }

  press(message: MessageView, name: string, button: HTMLButtonElement): void {
    void this.#presses.press(message, name, button);
  }

  vote({ chat, id }: MessageView, options: readonly number[]): void {
    void this.#context.server.act('vote', { chat, message: id, options, from: this.author });
  }

  beginInline(query: string): void {
    this.#composer.beginInline(query);
  }

  say(text: string): void {
    this.#composer.say(text);
  }

  openMenu(message: MessageView, at: HTMLElement): void {
    this.#menu.open(message, at);
  }

  /** Whether the bot has sent a message to the chat after a time of the server's clock, as far as seconds tell. */
  #hasSpokenSince(atMs: number): boolean {
    const { store, chat } = this.#context;
    const newest = this.#list.newestOfBot;
    if (chat === undefined || newest === undefined) return false;
    const date = Number(store.message(chat, newest)?.message['date']);
    return date >= Math.floor(store.dateOf(atMs).getTime() / 1_000);
  }

  #showHead(chat: ChatView | undefined): void {
    setText(this.#title, chat?.title ?? 'Chat with your bot');
    const people =
      chat && chat.type !== 'private' ? chat.people.map(({ name }) => name).join(', ') : undefined;
    const bot = this.#context.store.bot;
    const name = `@${bot?.username ?? 'the bot'}`;
    const where = chat?.isBlocked ? `${name} is blocked` : `${people ?? 'private chat'} with ${name}`;
    setText(this.#subtitle, chat ? where : '');
    this.#chatMenu.show(chat);
  }
}

/** Has screen readers speak the newest message of the bot. */
function speakNewest(messages: readonly MessageView[]): void {
  const newest = messages.findLast(({ message }) => isOfBot(message));
  if (newest) speak(`Bot: ${messageInWords(newest.message)}`);
}

const actionInWords = (name: string): string =>
  name === 'typing'
    ? 'typing'
    : name.replace('upload_', 'sending a ').replace('record_', 'recording a ').replaceAll('_', ' ');
