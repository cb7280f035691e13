/** The wire log: every call of the bot with its parameters and its answer, the newest first. */

import type { CallView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, setText } from './dom.js';
import { RovingFocus } from './roving-focus.js';
import { duration, indented } from './words.js';

const MAX_SHOWN = 150;

interface Row {
  readonly element: HTMLDetailsElement;
  readonly status: HTMLElement;
  readonly took: HTMLElement;
  readonly body: HTMLElement;
}

export class WireView {
  readonly element: HTMLElement;
  readonly #context: Context;
  readonly #rows = new Map<number, Row>();
  readonly #list = h('ol', { class: 'wire', reversed: true, 'aria-label': 'Calls' });
  readonly #focus = new RovingFocus(this.#list, {
    items: '.wire:not(.no-polls) summary, .wire .call summary',
    begins: 'first',
  });
  readonly #empty = h('p', { class: 'empty' }, 'The bot has not called yet.');

  constructor(context: Context) {
    this.#context = context;
    const polls = h('input', {
      type: 'checkbox',
      on: { change: () => this.#list.classList.toggle('no-polls', !polls.checked) },
    });
    this.#list.classList.add('no-polls');
    this.element = h(
      'div',
      {},
      h('label', { class: 'check' }, polls, 'Show polls (getUpdates)'),
      this.#empty,
      this.#list,
    );
    const { store } = context;
    store.onNews((news, isSnapshot) => {
      if (isSnapshot) {
        this.#rows.clear();
        this.#list.replaceChildren();
      }
      const calls = (isSnapshot ? [...store.calls.values()] : (news.calls ?? [])).slice(-MAX_SHOWN);
      for (const { number } of calls) {
        const call = store.calls.get(number);
        if (call) this.#show(call);
      }
      this.#focus.settle();
      this.#empty.hidden = this.#rows.size > 0;
    });
  }

  #show(call: CallView): void {
    const row = this.#rows.get(call.number) ?? this.#add(call);
    const { status, answeredAtMs, atMs, fault } = call;
    const isPending = answeredAtMs === undefined && fault === undefined;
    setText(
      row.status,
      status === undefined ? (fault ?? 'open') : fault ? `${status} ${fault}` : `${status}`,
    );
    row.status.dataset['tone'] = isPending
      ? 'open'
      : status !== undefined && status < 400 && !fault
        ? 'good'
        : 'bad';
    setText(row.took, answeredAtMs === undefined ? '' : duration(answeredAtMs - atMs));
    if (row.element.open) this.#fill(row, call);
  }

  #add(call: CallView): Row {
    const { number, method } = call;
    const status = h('span', { class: 'code' });
    const took = h('span', { class: 'took' });
    const body = h('div', { class: 'details' });
    const summary = h(
      'summary',
      {},
      h('span', { class: 'id' }, `${number}`),
      h('span', { class: 'method' }, method),
      status,
      took,
    );
    const element = h('details', {}, summary, body);
    const row = { element, status, took, body };
    element.addEventListener('toggle', () => {
      const newest = this.#context.store.calls.get(number);
      if (element.open && newest) this.#fill(row, newest);
    });
    this.#rows.set(number, row);
    this.#focus.add(summary);
    this.#list.prepend(h('li', { class: method.toLowerCase() === 'getupdates' ? 'poll' : 'call' }, element));
    while (this.#rows.size > MAX_SHOWN) {
      const [oldest] = this.#rows;
      if (!oldest) break;
      oldest[1].element.parentElement?.remove();
      this.#rows.delete(oldest[0]);
    }
    return row;
  }

  #fill({ body }: Row, { method, parameters, response, answeredAtMs }: CallView): void {
    const answer =
      response ??
      (answeredAtMs === undefined ? 'none yet' : 'not kept: it was sent before this page was open');
    const json = indented(parameters);
    const edited = h('textarea', {
      rows: Math.min(14, json.split('\n').length),
      'aria-label': 'Parameters',
      spellcheck: 'false',
    });
    edited.value = json;
    const send = () => void this.#context.server.act('call', { method, parameters: edited.value });
    // A poll would take updates away from the bot.
    const isPoll = method.toLowerCase() === 'getupdates';
    body.replaceChildren(
      h('h4', {}, 'Parameters'),
      edited,
      ...(isPoll
        ? []
        : [h('button', { type: 'button', class: 'secondary', on: { click: send } }, 'Send again')]),
      h('h4', {}, 'Answer'),
      h('pre', {}, indented(answer)),
    );
  }
}
