/** Inline mode: a person writes the bot's name and a query, the bot answers with results, and the person sends one. */
import type { InlineResultView, News } from '../page-protocol.js';
import type { Context } from './context.js';
import { h } from './dom.js';
import { speak } from './notices.js';

/** So long after the last letter the bot is asked, as Telegram's apps wait, too. */
const PAUSE_MS = 300;

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

export class InlineMode {
  readonly element = h('div', {
    class: 'results',
    role: 'group',
    'aria-label': 'Results of the bot',
    hidden: true,
  });
  readonly #context: Context;
  readonly #sent: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked: string | undefined;
  /** The id of the newest query. */
  #query: string | undefined;
  #results: readonly InlineResultView[] = [];

  /** Calls `sent` when a result was chosen. */
  constructor(context: Context, sent: () => void) {
    this.#context = context;
    this.#sent = sent;
    context.store.onNews((news) => this.#take(news));
    this.element.addEventListener('keydown', (event) => this.#move(event));
  }

  /** Takes what the person has written so far: a query, if it begins with the bot's name. */
  write(text: string): void {
    const query = this.#queryIn(text);
    if (query === this.#asked && query !== undefined) return;
    clearTimeout(this.#timer);
    this.clear();
    if (query === undefined) return;
    this.#asked = query;
    this.#timer = setTimeout(() => void this.#ask(query), PAUSE_MS);
  }

  /** What a person writes to begin a query. */
  beginning(query = ''): string {
    return `@${this.#context.store.bot?.username ?? ''} ${query}`;
  }

  /** Sends the first result, if there are any. Returns whether there are. */
  chooseFirst(): boolean {
    const [first] = this.#results;
    if (first) void this.#choose(first);
    return first !== undefined;
  }

  /** Moves the focus to the first result, if there are any. */
  enter(): boolean {
    const first = this.element.querySelector('button');
    first?.focus();
    return first !== null;
  }

  clear(): void {
    this.#asked = undefined;
    this.#query = undefined;
    this.#results = [];
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  #queryIn(text: string): string | undefined {
    const name = this.beginning();
    return text.toLowerCase().startsWith(name.toLowerCase()) ? text.slice(name.length) : undefined;
  }

  async #ask(query: string): Promise<void> {
    const { server, chat, author } = this.#context;
    const asked = await server.act('inline', { chat, from: author, query });
    if (this.#asked !== query || typeof asked?.['query'] !== 'string') return;
    this.#query = asked['query'];
    const known = this.#context.store.inlineAnswers.get(this.#query);
    if (known) this.#show(known.results);
    else this.#wait();
  }

  #wait(): void {
    this.element.hidden = false;
    this.element.replaceChildren(h('p', { class: 'note', 'aria-busy': 'true' }, 'The bot is asked'));
  }

  #take({ inlineAnswers = [] }: News): void {
    const answer = inlineAnswers.find(({ id }) => id === this.#query);
    if (answer) this.#show(answer.results);
  }

  #show(results: readonly InlineResultView[]): void {
    this.#results = results;
    this.element.hidden = false;
    if (results.length === 0) {
      this.element.replaceChildren(h('p', { class: 'note' }, 'The bot has no results for this.'));
      speak('no results');
      return;
    }
    this.element.replaceChildren(
      ...results.map((result) =>
        h(
          'button',
          { type: 'button', on: { click: () => void this.#choose(result) } },
          h('strong', {}, result.title),
          h('span', {}, result.description === '' ? result.type : result.description),
        ),
      ),
    );
    speak(`${results.length} results; the arrow down leads to them`);
  }

  async #choose({ id }: InlineResultView): Promise<void> {
    const { server, chat, author } = this.#context;
    const query = this.#query;
    this.clear();
    this.#sent();
    await server.act('choose', { chat, from: author, query, result: id });
  }

  #move(event: KeyboardEvent): void {
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const buttons = [...this.element.querySelectorAll('button')];
    const index = buttons.findIndex((button) => button.matches(':focus'));
    buttons[Math.max(0, Math.min(index + step, buttons.length - 1))]?.focus();
  }
}
