/** The log of the bot: what its process has written, and what has become of the process, the newest below. */
import type { LogLevel, LogLine } from '../bot-process.js';
import type { News } from '../page-protocol.js';
import type { Context } from './context.js';
import { h } from './dom.js';

const MAX_SHOWN = 1_000;
/** How close to its end the log counts as scrolled to the end, in pixels. */
const AT_END = 60;

/** What can be chosen: the lines of a level and above. Lines without a level are always shown. */
const filters = ['all', 'info', 'warn', 'error'] as const;

/** The levels that each choice leaves out. */
const hidden: Readonly<Record<(typeof filters)[number], readonly LogLevel[]>> = {
  all: [],
  info: ['trace', 'debug'],
  warn: ['trace', 'debug', 'info'],
  error: ['trace', 'debug', 'info', 'warn'],
};

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' });

export class LogView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #list = h('ol', { class: 'log', role: 'log', 'aria-label': 'Log of the bot', 'aria-live': 'off' });
  readonly #empty = h('p', { class: 'empty' });
  readonly #filter = h(
    'select',
    {},
    ...filters.map((name) => h('option', { value: name }, name === 'all' ? 'all' : `${name} and above`)),
  );

  constructor(context: Context) {
    this.#context = context;
    this.#filter.addEventListener('change', () => this.#show());
    this.element = h(
      'div',
      { class: 'log-view' },
      h('label', { class: 'check' }, 'Level', this.#filter),
      this.#empty,
      this.#list,
    );
    context.store.onNews((news, isSnapshot) => {
      if (isSnapshot) this.#show();
      else this.#add(news);
    });
  }

  #show(): void {
    const lines = [...this.#context.store.log.values()].filter((line) => this.#isShown(line));
    this.#list.replaceChildren(...lines.slice(-MAX_SHOWN).map((line) => this.#row(line)));
    this.#explainEmptiness();
    this.#scrollToEnd();
  }

  #add({ log = [] }: News): void {
    const lines = log.filter((line) => this.#isShown(line));
    if (lines.length === 0) return;
    const isAtEnd = this.#isAtEnd;
    this.#list.append(...lines.map((line) => this.#row(line)));
    while (this.#list.childElementCount > MAX_SHOWN) this.#list.firstElementChild?.remove();
    this.#explainEmptiness();
    if (isAtEnd) this.#scrollToEnd();
  }

  #isShown({ level }: LogLine): boolean {
    const chosen = filters.find((name) => name === this.#filter.value) ?? 'all';
    return level === undefined || !hidden[chosen].includes(level);
  }

  #row({ atMs, level, source, text }: LogLine): HTMLElement {
    const at = this.#context.store.dateOf(atMs);
    const label = source === 'process' ? 'process' : (level ?? source);
    return h(
      'li',
      { 'data-level': level ?? (source === 'stderr' ? 'stderr' : undefined), 'data-source': source },
      h('time', { datetime: at.toISOString() }, timeFormat.format(at)),
      h('span', { class: 'level' }, label),
      h('span', { class: 'words' }, text),
    );
  }

  #explainEmptiness(): void {
    this.#empty.hidden = this.#list.childElementCount > 0;
    this.#empty.textContent = this.#context.store.process
      ? 'Nothing yet.'
      : 'The log is shown here where the sandbox runs the bot: lastcall sandbox -- bot.js';
  }

  /** The panel around the view scrolls. */
  get #panel(): Element | null {
    return this.element.closest('.panel');
  }

  get #isAtEnd(): boolean {
    const panel = this.#panel;
    return panel !== null && panel.scrollHeight - panel.scrollTop - panel.clientHeight < AT_END;
  }

  #scrollToEnd(): void {
    const panel = this.#panel;
    if (panel) panel.scrollTop = panel.scrollHeight;
  }

  /** Call it when the view comes into sight: what is hidden has no height. */
  shown(): void {
    this.#scrollToEnd();
  }
}
