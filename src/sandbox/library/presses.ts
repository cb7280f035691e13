/**
 * The buttons that a person presses, and when. A person looks before they press once more: where the bot is to show the next
 * page, they do not press the button of this one again.
 */
import { type FoundButton, findButton, NoSuchButton, type Pressed, pressFound } from '../buttons.js';
import { SandboxError } from './sandbox-error.js';
import type { Shared } from './shared.js';

interface Named {
  readonly chat: number;
  readonly fromId: number;
  readonly button: string;
  readonly message: number | undefined;
}

export class Presses {
  readonly #shared: Shared;
  /** The messages and keyboards as they were when they were pressed: a change puts another object in their place. */
  readonly #pressed = new WeakSet<object>();

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /**
   * Presses a button if it is time, and returns why it is not otherwise. A message that is named is pressed at once. Of a
   * message or keyboard that was pressed already and has not changed, a button is pressed again when the bot has settled.
   *
   * @throws SandboxError MISUSED for a button of which Telegram does not tell bots
   */
  press(named: Named): Pressed | { readonly notYet: string } {
    const { account, isSettled } = this.#shared;
    try {
      const found = findButton(account, named);
      const shown = this.#shownWith(found, named.chat);
      if (named.message === undefined && shown && this.#pressed.has(shown) && !isSettled())
        return {
          notYet: `the newest ${found.message ? `message with a button ${JSON.stringify(named.button)}` : 'keyboard'} was pressed before and is still the same, while the bot is at work`,
        };
      const pressed = pressFound(account, named, found);
      if (shown) this.#pressed.add(shown);
      return pressed;
    } catch (error) {
      if (error instanceof NoSuchButton) return { notYet: error.message };
      if (!(error instanceof RangeError)) throw error;
      throw new SandboxError('MISUSED', `${error.message}.`, {
        nextStep: 'look at the button in the `raw` of its message, such as the url that it opens',
      });
    }
  }

  #shownWith({ message }: FoundButton, chat: number): object | undefined {
    return message ?? this.#shared.account.chats.details(chat).replyMarkup;
  }
}
