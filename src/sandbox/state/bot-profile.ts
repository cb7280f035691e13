/** How a bot presents itself: its names and descriptions by language, its menu buttons, and its default rights. */
import { administratorRights, each } from './members.js';

export type ProfileText = 'name' | 'description' | 'short_description';

type Rights = Readonly<Record<string, boolean>>;

export class BotProfile {
  readonly #texts = new Map<string, string>();
  readonly #menuButtons = new Map<number, object>();
  readonly #rights = new Map<boolean, Rights>();

  /** Returns a text in a language; without one for it, the text for all languages. */
  text(kind: ProfileText, language: string): string | undefined {
    return this.#texts.get(`${kind}/${language}`) ?? this.#texts.get(`${kind}/`);
  }

  /** An empty text takes the text of a language back. */
  setText(kind: ProfileText, language: string, text: string): void {
    if (text === '') this.#texts.delete(`${kind}/${language}`);
    else this.#texts.set(`${kind}/${language}`, text);
  }

  /** Returns the menu button in a private chat; 0 stands for all chats. */
  menuButton(chat: number): object {
    return this.#menuButtons.get(chat) ?? this.#menuButtons.get(0) ?? { type: 'commands' };
  }

  setMenuButton(chat: number, button: object | undefined): void {
    if (button) this.#menuButtons.set(chat, button);
    else this.#menuButtons.delete(chat);
  }

  rights(forChannels: boolean): Rights {
    return this.#rights.get(forChannels) ?? rightsOf({});
  }

  setRights(forChannels: boolean, rights: Readonly<Record<string, unknown>>): void {
    this.#rights.set(forChannels, rightsOf(rights));
  }
}

const rightsOf = (given: Readonly<Record<string, unknown>>): Rights =>
  each(['is_anonymous', ...administratorRights], (name) => given[name] === true);
