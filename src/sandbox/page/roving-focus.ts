/**
 * A long list as one stop of the Tab key: the arrow keys, Home and End move from item to item, and only the controls of the
 * item that was focused last take part in the order of Tab.
 */

export interface RovingFocusOptions {
  /** Selects the items, which are somewhere below the list, in the order of the document. */
  readonly items: string;
  /** The item, in the order of the document, that takes part as long as the focus is elsewhere. */
  readonly begins: 'first' | 'last';
}

/** What takes part in the order of Tab by itself. */
const CONTROLS = 'button, a[href], audio, video, summary, input, textarea';

export class RovingFocus {
  readonly #list: HTMLElement;
  readonly #options: RovingFocusOptions;
  #current: HTMLElement | undefined;

  constructor(list: HTMLElement, options: RovingFocusOptions) {
    this.#list = list;
    this.#options = options;
    list.addEventListener('focusin', ({ target }) => {
      const item = target instanceof Element ? target.closest<HTMLElement>(options.items) : null;
      if (item) this.#choose(item);
    });
    list.addEventListener('keydown', (event) => this.#move(event));
  }

  /** Takes an item out of the order of Tab. Call it for each item that is made, or whose controls have changed. */
  add(item: HTMLElement): void {
    setTabbable(item, item === this.#current);
  }

  /** Makes sure that one item takes part. Call it when items have come or gone. */
  settle(): void {
    const isChosen = this.#current?.isConnected === true && this.#current.contains(document.activeElement);
    if (isChosen) return;
    const item = this.#beginning;
    if (item) this.#choose(item);
  }

  get #beginning(): HTMLElement | null {
    const { items, begins } = this.#options;
    if (begins === 'first') return this.#list.querySelector<HTMLElement>(items);
    // Lists of a thousand items change many times a second: their ends are looked at, and not all of them.
    for (let child = this.#list.lastElementChild; child; child = child.previousElementSibling) {
      const item = child.matches(items) ? child : [...child.querySelectorAll(items)].at(-1);
      if (item instanceof HTMLElement) return item;
    }
    return null;
  }

  #choose(item: HTMLElement): void {
    if (item === this.#current) return;
    if (this.#current) setTabbable(this.#current, false);
    this.#current = item;
    setTabbable(item, true);
  }

  #move(event: KeyboardEvent): void {
    const { target, key, defaultPrevented } = event;
    const isTyping = target instanceof HTMLElement && target.matches('input, textarea, select, audio, video');
    if (!(target instanceof Element) || isTyping || defaultPrevented) return;
    const items = [...this.#list.querySelectorAll<HTMLElement>(this.#options.items)];
    const index = items.findIndex((item) => item.contains(target));
    const places: Readonly<Record<string, number>> = {
      ArrowDown: Math.min(index + 1, items.length - 1),
      ArrowUp: Math.max(index - 1, 0),
      Home: 0,
      End: items.length - 1,
    };
    const place = places[key];
    const item = place === undefined || index < 0 ? undefined : items[place];
    if (!item) return;
    event.preventDefault();
    this.#choose(item);
    item.focus();
    item.scrollIntoView({ block: 'nearest' });
  }
}

function setTabbable(item: HTMLElement, isTabbable: boolean): void {
  const tabIndex = isTabbable ? 0 : -1;
  item.tabIndex = tabIndex;
  for (const control of item.querySelectorAll<HTMLElement>(CONTROLS)) control.tabIndex = tabIndex;
}
