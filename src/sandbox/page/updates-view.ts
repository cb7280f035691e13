/** What happens to each update: a list, the newest first, with the four stations of each way and its steps in detail. */

import type { UpdateRecord } from '../state/update-record.js';
import type { Context } from './context.js';
import { h, setText } from './dom.js';
import { RovingFocus } from './roving-focus.js';
import { answersOf, type Station, stationsOf, stepsOf } from './way.js';
import { duration, indented, kindInWords } from './words.js';

const MAX_SHOWN = 150;
const REFRESH_MS = 500;

interface Row {
  readonly element: HTMLElement;
  readonly stations: readonly {
    readonly item: HTMLElement;
    readonly label: HTMLElement;
    readonly time: HTMLElement;
    readonly by: HTMLElement;
  }[];
  readonly details: HTMLElement;
}

export class UpdatesView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #rows = new Map<number, Row>();
  readonly #list = h('ol', { class: 'updates', reversed: true, 'aria-label': 'Updates' });
  readonly #focus = new RovingFocus(this.#list, { items: 'summary', begins: 'first' });
  readonly #summary = h('p', { class: 'summary', role: 'status', 'aria-live': 'off' });
  readonly #empty = h(
    'p',
    { class: 'empty' },
    'Nothing has come for the bot yet. Write to it, and see here when the update is delivered, confirmed and answered.',
  );

  constructor(context: Context) {
    this.#context = context;
    this.element = h('div', {}, this.#summary, this.#empty, this.#list);
    const { store } = context;
    store.onNews((news, isSnapshot) => {
      if (isSnapshot) {
        this.#rows.clear();
        this.#list.replaceChildren();
        for (const update of [...store.updates.values()].slice(-MAX_SHOWN)) this.#show(update);
      } else for (const { id } of (news.updates ?? []).slice(-MAX_SHOWN)) this.#showById(id);
      this.#focus.settle();
      this.#count();
    });
    setInterval(() => this.#refreshOpen(), REFRESH_MS);
  }

  /** Opens an update, and brings it into view. */
  open(id: number): void {
    const row = this.#rows.get(id);
    if (!row) return;
    row.element.setAttribute('open', '');
    row.element.scrollIntoView({ block: 'center' });
    row.element.querySelector('summary')?.focus();
    row.element.classList.remove('found');
    requestAnimationFrame(() => row.element.classList.add('found'));
  }

  #showById(id: number): void {
    const update = this.#context.store.updates.get(id);
    if (update) this.#show(update);
  }

  #show(update: UpdateRecord): void {
    const row = this.#rows.get(update.id) ?? this.#add(update);
    this.#refresh(row, update);
    if (row.element.hasAttribute('open')) this.#fill(row, update);
  }

  #add(update: UpdateRecord): Row {
    const { store } = this.#context;
    const { id, kind, chat } = update;
    const { summary: words } = store.content(update);
    const title = chat === undefined ? undefined : store.chats.get(chat)?.title;
    const stations = stationsOf(update, store.nowMs).map(({ name }) => {
      const label = h('span', { class: 'label' });
      const time = h('span', { class: 'time' });
      const by = h('span', { class: 'by' });
      return { item: h('li', { class: name }, label, time, by), label, time, by };
    });
    const details = h('div', { class: 'details' });
    const head = h(
      'span',
      { class: 'head' },
      h('span', { class: 'id' }, `#${id}`),
      h('span', { class: 'kind' }, kindInWords(kind)),
      h('q', {}, words),
      h('span', { class: 'of' }, title),
    );
    const summary = h('summary', {}, head, h('ol', { class: 'way' }, ...stations.map(({ item }) => item)));
    const element = h('details', { class: 'update' }, summary, details);
    const row = { element, stations, details };
    element.addEventListener('toggle', () => {
      const newest = store.updates.get(id);
      if (element.open && newest) this.#fill(row, newest);
    });
    this.#rows.set(id, row);
    this.#focus.add(summary);
    this.#list.prepend(h('li', {}, element));
    while (this.#rows.size > MAX_SHOWN) {
      const [oldest] = this.#rows;
      if (!oldest) break;
      oldest[1].element.parentElement?.remove();
      this.#rows.delete(oldest[0]);
    }
    return row;
  }

  #refresh(row: Row, update: UpdateRecord): void {
    const stations: readonly Station[] = stationsOf(update, this.#context.store.nowMs);
    row.element.dataset['state'] = update.state;
    for (const [index, { state, label, time, by }] of stations.entries()) {
      const shown = row.stations[index];
      if (!shown) continue;
      shown.item.dataset['state'] = state;
      setText(shown.label, label);
      setText(shown.time, time);
      setText(shown.by, by);
    }
  }

  #fill({ details }: Row, update: UpdateRecord): void {
    const steps = stepsOf(update).map(({ name, words, afterMs }) =>
      h('li', { class: name }, h('time', {}, `+${duration(afterMs)}`), words),
    );
    const json = details.querySelector('pre') ?? h('pre', {}, indented(update.json));
    details.replaceChildren(h('ol', { class: 'steps' }, ...steps), json);
  }

  /** Moves the times of the updates that wait for something. */
  #refreshOpen(): void {
    for (const [id, row] of this.#rows) {
      const update = this.#context.store.updates.get(id);
      const isOpen =
        update?.state === 'waiting' ||
        (update !== undefined && update.deliveryCount > 0 && !answersOf(update).first);
      if (update && isOpen) this.#refresh(row, update);
    }
  }

  #count(): void {
    const updates = [...this.#context.store.updates.values()];
    this.#empty.hidden = updates.length > 0;
    const count = (test: (update: UpdateRecord) => boolean) => updates.filter(test).length;
    const counts = [
      [count(({ state }) => state === 'waiting'), 'waiting'],
      [count(({ state }) => state === 'delivered'), 'delivered'],
      [count(({ state }) => state === 'confirmed'), 'confirmed'],
      [count((update) => answersOf(update).count > 0), 'answered'],
      [count(({ state }) => state === 'expired'), 'expired'],
    ] as const;
    setText(
      this.#summary,
      updates.length === 0
        ? ''
        : counts
            .filter(([number, name]) => number > 0 || name !== 'expired')
            .map(([number, name]) => `${number} ${name}`)
            .join(' · '),
    );
  }
}
