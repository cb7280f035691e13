/** The buttons that people have pressed, each busy until the bot has answered or nobody will. */
import type { MessageView, News } from '../page-protocol.js';
import type { Context } from './context.js';
import { alertBox } from './dialogs.js';
import { notice } from './notices.js';

export class Presses {
  readonly #context: Context;
  /** The buttons that wait for the bot's answer, by the press. */
  readonly #waiting = new Map<string, HTMLButtonElement>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Presses a button, which is named by its callback data or its text. */
  async press(message: MessageView, name: string, button: HTMLButtonElement): Promise<void> {
    button.setAttribute('aria-busy', 'true');
    const { server, author } = this.#context;
    const { chat, id: messageId } = message;
    const pressed = await server.act('press', { chat, message: messageId, button: name, from: author });
    const id = pressed?.['press'];
    if (typeof id !== 'string') button.removeAttribute('aria-busy');
    else if (!this.#answer(id, button)) this.#waiting.set(id, button);
  }

  take({ presses = [], updates = [] }: News): void {
    for (const { id } of presses) {
      const button = this.#waiting.get(id);
      if (button) this.#answer(id, button);
    }
    // Nobody answers a press whose update is gone.
    const gone = updates
      .filter(({ state }) => state === 'expired' || state === 'dropped')
      .map(({ id }) => id);
    if (gone.length === 0) return;
    for (const [id, button] of this.#waiting) {
      const { updateId } = this.#context.store.presses.get(id) ?? {};
      if (updateId !== undefined && gone.includes(updateId)) this.#release(id, button);
    }
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** Shows the bot's answer to a press. Returns whether there is one. */
  #answer(id: string, button: HTMLButtonElement): boolean {
    const { store } = this.#context;
    const { answer } = store.presses.get(id) ?? {};
    if (!answer) return false;
    this.#release(id, button);
    if (answer.text !== '' && answer.alert) alertBox(store.bot?.name ?? 'The bot', answer.text);
    else if (answer.text !== '') notice(answer.text);
    if (answer.url !== '') notice(`The bot opens ${answer.url}`);
    return true;
  }

  #release(id: string, button: HTMLButtonElement): void {
    button.removeAttribute('aria-busy');
    this.#waiting.delete(id);
  }
}
