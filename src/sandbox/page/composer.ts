/** Where a person writes: text, replies and edits, with the reply keyboard, the commands and what can be attached. */
import type { ChatView, MessageView } from '../page-protocol.js';
import { Attachments, type Envelope } from './attachments.js';
import type { Context } from './context.js';
import { h, icon, setText } from './dom.js';
import { InlineMode } from './inline-mode.js';
import { Menu } from './menu.js';
import { isOfBot, messageInWords } from './message-words.js';
import { ReplyKeyboard } from './reply-keyboard.js';

/** The most pixels that the field grows to. */
const MAX_HEIGHT = 160;

/** The message that a person replies to, or edits. */
interface Subject {
  readonly kind: 'reply' | 'edit';
  readonly message: MessageView;
}

export class Composer {
  readonly element: HTMLFormElement;
  readonly #context: Context;
  readonly #text = h('textarea', { rows: 1, 'aria-label': 'Message', maxlength: 4_096 });
  readonly #author = h('select', { 'aria-label': 'Write as' });
  readonly #about = h('span', {});
  readonly #banner = h('div', { class: 'banner', hidden: true });
  readonly #keyboard = new ReplyKeyboard((text) => this.#press(text));
  readonly #inline: InlineMode;
  readonly #attachments: Attachments;
  readonly #commandMenu = new Menu('Commands of the bot');
  readonly #commands = h(
    'button',
    {
      type: 'button',
      class: 'plain',
      'aria-label': 'Commands of the bot',
      title: 'Commands of the bot',
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      on: { click: () => this.#openCommands() },
    },
    '/',
  );
  #chat: ChatView | undefined;
  #subject: Subject | undefined;

  /** Calls `onAuthor` when the person chooses to write as another. */
  constructor(context: Context, onAuthor: () => void) {
    this.#context = context;
    this.#inline = new InlineMode(context, () => this.#clear());
    this.#attachments = new Attachments({
      context,
      takeEnvelope: () => this.#takeEnvelope(),
      beginInline: () => this.beginInline(''),
    });
    const cancel = () => this.#setSubject(undefined);
    this.#banner.append(
      this.#about,
      h(
        'button',
        { type: 'button', class: 'plain', 'aria-label': 'Cancel', on: { click: cancel } },
        icon('close'),
      ),
    );
    const send = { type: 'submit', class: 'primary round', 'aria-label': 'Send', title: 'Send (Enter)' };
    this.element = h(
      'form',
      { class: 'composer', id: 'composer' },
      this.#inline.element,
      this.#banner,
      this.#keyboard.element,
      h(
        'div',
        { class: 'write' },
        this.#author,
        ...this.#attachments.elements,
        this.#commands,
        this.#text,
        h('button', send, icon('send')),
      ),
    );
    this.#author.addEventListener('change', () => {
      context.author = Number(this.#author.value);
      onAuthor();
    });
    this.#listen();
  }

  /** Shows the people, the keyboard and the commands of a chat. */
  show(chat: ChatView | undefined): void {
    const isAnother = chat?.id !== this.#chat?.id;
    if (isAnother) this.#setSubject(undefined);
    this.#chat = chat;
    this.element.hidden = chat === undefined;
    if (!chat) return;
    this.#showPeople(chat);
    this.#commands.hidden = chat.commands.length === 0;
    const isNewKeyboard = this.#keyboard.show(chat.replyMarkup);
    this.#text.placeholder = this.#keyboard.placeholder;
    if (this.#keyboard.asksForReply && (isNewKeyboard || isAnother)) this.#replyToNewest(chat);
  }

  say(text: string): void {
    if (this.#chat) void this.#context.server.act('say', { ...this.#target(), text });
  }

  replyTo(message: MessageView): void {
    this.#setSubject({ kind: 'reply', message });
  }

  edit(message: MessageView): void {
    this.#setSubject({ kind: 'edit', message });
    this.#write(`${message.message['text']}`);
  }

  /** Begins an inline query. */
  beginInline(query: string): void {
    this.#write(this.#inline.beginning(query));
    this.#inline.write(this.#text.value);
  }

  #listen(): void {
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#setSubject(undefined);
      this.#inline.clear();
      this.#text.focus();
    });
    this.#text.addEventListener('keydown', (event) => {
      const { key, shiftKey, isComposing } = event;
      if (key === 'Enter' && !shiftKey && !isComposing) {
        event.preventDefault();
        this.#submit();
      } else if (key === 'ArrowDown' && this.#inline.enter()) event.preventDefault();
    });
    this.#text.addEventListener('input', () => {
      this.#grow();
      this.#inline.write(this.#text.value);
    });
    this.#text.addEventListener('paste', ({ clipboardData }) =>
      this.#attachments.sendFiles(clipboardData?.files),
    );
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#attachments.sendFiles(event.dataTransfer?.files);
    });
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (text === '' || !this.#chat || this.#inline.chooseFirst()) return;
    const about = this.#subject;
    if (about?.kind === 'edit')
      void this.#context.server.act('edit', { ...this.#target(), message: about.message.id, text });
    else this.say(text);
    this.#clear();
  }

  #clear(): void {
    this.#write('');
    this.#setSubject(undefined);
    this.#inline.clear();
  }

  #openCommands(): void {
    const chat = this.#chat;
    if (!chat) return;
    const suffix = chat.type === 'private' ? '' : `@${this.#context.store.bot?.username}`;
    const items = chat.commands.map(({ command, description }) => {
      const send = () => {
        this.say(`/${command}${suffix}`);
        this.#text.focus();
      };
      return this.#commandMenu.item(send, h('strong', {}, `/${command}`), ` ${description}`);
    });
    this.#commandMenu.open(items, this.#commands);
  }

  #press(key: string): void {
    void this.#context.server.act('press', { chat: this.#chat?.id, from: this.#context.author, button: key });
  }

  #target() {
    const about = this.#subject;
    return {
      chat: this.#chat?.id,
      from: this.#context.author,
      ...(about?.kind === 'reply' && { replyTo: about.message.id }),
    };
  }

  /** What is written becomes the caption of a file. */
  #takeEnvelope(): Envelope {
    const caption = this.#text.value.trim();
    const envelope = { ...this.#target(), ...(caption !== '' && { caption }) };
    this.#clear();
    return envelope;
  }

  #setSubject(about: Subject | undefined): void {
    if (this.#subject?.kind === 'edit' && about?.kind !== 'edit') this.#write('');
    this.#subject = about;
    this.#banner.hidden = about === undefined;
    if (!about) return;
    const verb = about.kind === 'edit' ? 'Edit' : 'Reply to';
    setText(this.#about, `${verb}: ${messageInWords(about.message.message)}`);
    this.#text.focus();
  }

  #showPeople({ people }: ChatView): void {
    const before = this.#author.value;
    this.#author.replaceChildren(...people.map(({ id, name }) => h('option', { value: id }, name)));
    if (people.some(({ id }) => `${id}` === before)) this.#author.value = before;
    this.#author.hidden = people.length < 2;
    this.#context.author = this.#author.value === '' ? undefined : Number(this.#author.value);
  }

  #replyToNewest(chat: ChatView): void {
    const newest = this.#context.store.messagesOf(chat.id).findLast(({ message }) => isOfBot(message));
    if (newest) this.replyTo(newest);
  }

  #write(text: string): void {
    this.#text.value = text;
    this.#grow();
    if (text !== '') this.#text.focus();
  }

  #grow(): void {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${Math.min(this.#text.scrollHeight, MAX_HEIGHT)}px`;
  }
}
