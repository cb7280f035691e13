/** The keyboard that a bot puts in place of a person's own. */
import { type Content, isRecord } from './content.js';
import { h } from './dom.js';

const PLACEHOLDER = 'Write a message';

export class ReplyKeyboard {
  readonly element = h('div', {
    class: 'keyboard reply-keyboard',
    role: 'group',
    'aria-label': 'Reply keyboard',
    hidden: true,
  });
  readonly #press: (text: string) => void;
  #shown = '';
  #markup: Content = {};

  /** Calls `press` with the text of a key that is pressed. */
  constructor(press: (text: string) => void) {
    this.#press = press;
  }

  /** Shows the keyboard that the bot has sent last. Returns whether it is another one than before. */
  show(markup: object | undefined): boolean {
    const json = JSON.stringify(markup ?? null);
    if (json === this.#shown) return false;
    this.#shown = json;
    this.#markup = isRecord(markup) ? markup : {};
    const { keyboard } = this.#markup;
    const rows: readonly unknown[] = Array.isArray(keyboard) ? keyboard : [];
    this.element.hidden = rows.length === 0;
    this.element.replaceChildren(
      ...rows.map((row) => h('div', { class: 'row' }, ...(Array.isArray(row) ? row : []).map(this.#key))),
    );
    return true;
  }

  /** What the field for messages says as long as it is empty. */
  get placeholder(): string {
    const { input_field_placeholder: given } = this.#markup;
    return typeof given === 'string' ? given : PLACEHOLDER;
  }

  /** Whether the bot asks for a reply to its newest message. */
  get asksForReply(): boolean {
    return this.#markup['force_reply'] === true;
  }

  readonly #key = (button: unknown): HTMLButtonElement => {
    const text = isRecord(button) ? `${button['text']}` : `${button}`;
    return h('button', { type: 'button', on: { click: () => this.#press(text) } }, text);
  };
}
