/** Where a person writes: text, files, the reply keyboard and the menu of commands. */
import type { Context } from './context.js';
import { h, icon, setText } from './dom.js';
import type { ChatView, MessageView } from './protocol.js';

type Content = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Content => typeof value === 'object' && value !== null;

export class Composer {
  readonly element: HTMLFormElement;
  readonly #context: Context;
  readonly #text = h('textarea', {
    rows: 1,
    'aria-label': 'Message',
    maxlength: 4_096,
    placeholder: 'Write a message',
  });
  readonly #author = h('select', { 'aria-label': 'Write as' });
  readonly #file = h('input', { type: 'file', class: 'quiet', tabindex: -1, 'aria-hidden': 'true' });
  readonly #about = h('span', {});
  readonly #banner = h('div', { class: 'banner', hidden: true });
  readonly #keyboard = h('div', {
    class: 'keyboard reply-keyboard',
    role: 'group',
    'aria-label': 'Reply keyboard',
    hidden: true,
  });
  readonly #commands = h('div', { class: 'menu commands', role: 'menu', popover: 'auto', id: 'commands' });
  readonly #commandsButton = h(
    'button',
    {
      type: 'button',
      class: 'plain',
      popovertarget: 'commands',
      'aria-label': 'Commands of the bot',
      title: 'Commands of the bot',
    },
    '/',
  );
  #chat: ChatView | undefined;
  #shownMarkup = '';
  #subject: { readonly kind: 'reply' | 'edit'; readonly message: MessageView } | undefined;

  constructor(context: Context) {
    this.#context = context;
    const attach = h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': 'Send a photo or a file',
        title: 'Send a photo or a file',
        on: { click: () => this.#file.click() },
      },
      icon('attach'),
    );
    const cancel = h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': 'Cancel',
        on: { click: () => this.#setAbout(undefined) },
      },
      icon('close'),
    );
    this.#banner.append(this.#about, cancel);
    this.element = h(
      'form',
      { class: 'composer', id: 'composer' },
      this.#banner,
      this.#keyboard,
      h(
        'div',
        { class: 'write' },
        this.#author,
        attach,
        this.#file,
        this.#commandsButton,
        this.#commands,
        this.#text,
        h(
          'button',
          { type: 'submit', class: 'primary round', 'aria-label': 'Send', title: 'Send (Enter)' },
          icon('send'),
        ),
      ),
    );
    this.#listen();
  }

  /** The person who writes. */
  get author(): number | undefined {
    return this.#author.value === '' ? undefined : Number(this.#author.value);
  }

  /** Shows the people, the keyboard and the commands of a chat. */
  show(chat: ChatView | undefined): void {
    if (chat?.id !== this.#chat?.id) {
      this.#setAbout(undefined);
      this.#shownMarkup = '';
    }
    this.#chat = chat;
    this.element.hidden = chat === undefined;
    if (!chat) return;
    const { people, commands, replyMarkup } = chat;
    const before = this.#author.value;
    this.#author.replaceChildren(...people.map(({ id, name }) => h('option', { value: id }, name)));
    if (people.some(({ id }) => `${id}` === before)) this.#author.value = before;
    this.#author.hidden = people.length < 2;
    this.#commandsButton.hidden = commands.length === 0;
    this.#commands.replaceChildren(
      ...commands.map(({ command, description }) =>
        h(
          'button',
          { type: 'button', role: 'menuitem', on: { click: () => this.#command(command) } },
          h('strong', {}, `/${command}`),
          ` ${description}`,
        ),
      ),
    );
    this.#showKeyboard(replyMarkup);
  }

  say(text: string): void {
    if (this.#chat) void this.#context.server.act('say', { ...this.#target(), text });
  }

  replyTo(message: MessageView): void {
    this.#setAbout({ kind: 'reply', message });
  }

  edit(message: MessageView): void {
    this.#setAbout({ kind: 'edit', message });
    this.#text.value = `${message.message['text']}`;
    this.#grow();
  }

  #listen(): void {
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#submit();
      } else if (event.key === 'Escape') this.#setAbout(undefined);
    });
    this.#text.addEventListener('input', () => this.#grow());
    this.#text.addEventListener('paste', ({ clipboardData }) => this.#sendFiles(clipboardData?.files));
    this.#file.addEventListener('change', () => {
      this.#sendFiles(this.#file.files);
      this.#file.value = '';
    });
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#sendFiles(event.dataTransfer?.files);
    });
  }

  #submit(): void {
    const text = this.#text.value.trim();
    if (text === '' || !this.#chat) return;
    const about = this.#subject;
    if (about?.kind === 'edit')
      void this.#context.server.act('edit', { ...this.#target(), message: about.message.id, text });
    else this.say(text);
    this.#text.value = '';
    this.#grow();
    this.#setAbout(undefined);
  }

  #command(command: string): void {
    this.#commands.hidePopover();
    this.say(
      this.#chat?.type === 'private' ? `/${command}` : `/${command}@${this.#context.store.bot?.username}`,
    );
    this.#text.focus();
  }

  #sendFiles(files: FileList | undefined | null): void {
    for (const file of files ?? []) void this.#sendFile(file);
  }

  async #sendFile(file: File): Promise<void> {
    const { chat, from } = this.#target();
    const caption = this.#text.value.trim();
    this.#text.value = '';
    const size = file.type.startsWith('image/') ? await sizeOf(file) : {};
    await this.#context.server.sendFile(file, {
      chat: `${chat}`,
      ...(from !== undefined && { from: `${from}` }),
      ...(caption !== '' && { caption }),
      ...size,
    });
  }

  #target() {
    const about = this.#subject;
    return {
      chat: this.#chat?.id,
      from: this.author,
      ...(about?.kind === 'reply' && { replyTo: about.message.id }),
    };
  }

  #setAbout(about: { readonly kind: 'reply' | 'edit'; readonly message: MessageView } | undefined): void {
    if (this.#subject?.kind === 'edit' && about?.kind !== 'edit') this.#text.value = '';
    this.#subject = about;
    this.#banner.hidden = about === undefined;
    if (!about) return;
    const { text, caption } = about.message.message;
    setText(this.#about, `${about.kind === 'edit' ? 'Edit' : 'Reply to'}: ${text ?? caption ?? 'a message'}`);
    this.#text.focus();
  }

  /** Shows the reply keyboard that the bot has sent last. */
  #showKeyboard(markup: object | undefined): void {
    const json = JSON.stringify(markup ?? null);
    if (json === this.#shownMarkup) return;
    this.#shownMarkup = json;
    const given: Content = isRecord(markup) ? markup : {};
    const rows: readonly unknown[] = Array.isArray(given['keyboard']) ? given['keyboard'] : [];
    this.#text.placeholder =
      typeof given['input_field_placeholder'] === 'string'
        ? given['input_field_placeholder']
        : 'Write a message';
    this.#keyboard.hidden = rows.length === 0;
    this.#keyboard.replaceChildren(
      ...rows.map((row) =>
        h(
          'div',
          { class: 'row' },
          ...(Array.isArray(row) ? row.filter(isRecord).map((button) => this.#key(button)) : []),
        ),
      ),
    );
    if (given['force_reply'] !== true || !this.#chat) return;
    const last = this.#context.store
      .messagesOf(this.#chat.id)
      .findLast(({ message }) => isRecord(message['from']) && message['from']['is_bot'] === true);
    if (last) this.replyTo(last);
  }

  #key(button: Content): HTMLButtonElement {
    const text = `${button['text']}`;
    const { server } = this.#context;
    const press = () => void server.act('press', { chat: this.#chat?.id, from: this.author, button: text });
    return h('button', { type: 'button', on: { click: press } }, text);
  }

  #grow(): void {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${Math.min(this.#text.scrollHeight, 160)}px`;
  }
}

/** The size of a picture, as far as the browser can read it. */
async function sizeOf(file: File): Promise<Readonly<Record<string, string>>> {
  try {
    const { width, height } = await createImageBitmap(file);
    return { width: `${width}`, height: `${height}` };
  } catch {
    return {};
  }
}
