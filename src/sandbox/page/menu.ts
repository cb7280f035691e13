/** Menus that open beside a button, and close when something is chosen or pressed elsewhere. */
import { h } from './dom.js';

/** The distance to the edges of the window, in pixels. */
const MARGIN = 8;

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

export class Menu {
  readonly #element: HTMLElement;
  #opener: HTMLElement | undefined;

  /** @param label what assistive technology calls it */
  constructor(label: string) {
    this.#element = h('div', { class: 'menu', role: 'menu', popover: 'auto', 'aria-label': label });
    this.#element.addEventListener('keydown', (event) => this.#move(event));
    this.#element.addEventListener('toggle', (event) => {
      if ((event as ToggleEvent).newState === 'closed') this.#opener?.setAttribute('aria-expanded', 'false');
    });
    document.body.append(this.#element);
  }

  /** Makes an item, which closes the menu when it is chosen. */
  item(act: () => void, ...content: readonly (Node | string)[]): HTMLButtonElement {
    const chosen = () => {
      this.close();
      act();
    };
    return h('button', { type: 'button', role: 'menuitem', on: { click: chosen } }, ...content);
  }

  /** Opens the menu with these items beside a button, and moves the focus to the first one. */
  open(items: readonly Node[], opener: HTMLElement): void {
    this.#opener = opener;
    this.#element.replaceChildren(...items);
    this.#element.showPopover();
    opener.setAttribute('aria-expanded', 'true');
    const { bottom, left, top } = opener.getBoundingClientRect();
    const { width, height } = this.#element.getBoundingClientRect();
    const x = Math.max(MARGIN, Math.min(left, innerWidth - width - MARGIN));
    const y = bottom + height > innerHeight - MARGIN ? Math.max(MARGIN, top - height - 4) : bottom;
    this.#element.style.left = `${x}px`;
    this.#element.style.top = `${y}px`;
    this.#element.querySelector('button')?.focus();
  }

  close(): void {
    this.#element.hidePopover();
  }

  #move(event: KeyboardEvent): void {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = [...this.#element.querySelectorAll('button')];
    const index = items.findIndex((item) => item.matches(':focus'));
    items[(index + step + items.length) % items.length]?.focus();
  }
}
