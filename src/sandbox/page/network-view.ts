/** The switches of the network: one for each kind of fault, with the fields that the server gives it. */
import type { FaultKindView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, setText } from './dom.js';
import { faultFields } from './fault-fields.js';
import { faultInWords, inOrder, nameOf, noteOf } from './fault-words.js';

const REFRESH_MS = 500;

interface Switch {
  readonly kind: FaultKindView;
  readonly button: HTMLButtonElement;
  readonly note: HTMLElement;
}

export class NetworkView {
  readonly element = h('div', { class: 'network' });
  readonly #context: Context;
  #switches: readonly Switch[] = [];

  constructor(context: Context) {
    this.#context = context;
    context.store.onNews((news, isSnapshot) => {
      if (isSnapshot) this.#build();
      if (isSnapshot || news.faults) this.#refresh();
    });
    setInterval(() => this.#refresh(), REFRESH_MS);
  }

  #build(): void {
    const hint = 'Break the network between the bot and the server. This page stays connected.';
    const cards = inOrder(this.#context.store.faultKinds).map((kind) => this.#card(kind));
    this.#switches = cards.map(({ shown }) => shown);
    this.element.replaceChildren(h('p', { class: 'hint' }, hint), ...cards.map(({ element }) => element));
  }

  #card(kind: FaultKindView): { readonly element: HTMLElement; readonly shown: Switch } {
    const { element: fields, values } = faultFields(kind);
    const button = h(
      'button',
      {
        type: 'button',
        role: 'switch',
        'aria-checked': 'false',
        class: 'switch',
        on: { click: () => this.#toggle(kind.kind, values) },
      },
      h('span', { class: 'knob', 'aria-hidden': 'true' }),
      h('span', { class: 'name' }, nameOf(kind.kind)),
    );
    const note = h('p', { class: 'note' }, noteOf(kind));
    const element = h(
      'section',
      { class: 'fault', 'aria-label': nameOf(kind.kind) },
      button,
      note,
      h('details', {}, h('summary', {}, 'How much, how long'), fields),
    );
    return { element, shown: { kind, button, note } };
  }

  #toggle(kind: string, values: () => object): void {
    const { server, store } = this.#context;
    const active = store.faults.filter(({ rule }) => rule.kind === kind);
    for (const { id } of active) void server.removeFault(id);
    if (active.length === 0) void server.addFault({ kind, ...values() });
  }

  #refresh(): void {
    const { faults, nowMs } = this.#context.store;
    for (const { kind, button, note } of this.#switches) {
      const active = faults.filter(({ rule }) => rule.kind === kind.kind);
      button.setAttribute('aria-checked', `${active.length > 0}`);
      setText(note, active.map((fault) => faultInWords(fault, nowMs)).join('; ') || noteOf(kind));
    }
  }
}
