/** The faults in force, at the top of the page, each with a button that ends it. */
import type { FaultView } from '../page-protocol.js';
import type { Context } from './context.js';
import { h, part, setText } from './dom.js';
import { faultInWords, nameOf } from './fault-words.js';

const REFRESH_MS = 500;

interface Row {
  readonly element: HTMLElement;
  readonly about: HTMLElement;
}

export function activeFaultsView({ store, server }: Context): void {
  const list = part('active-faults');
  const rows = new Map<number, Row>();

  function add({ id, rule }: FaultView): Row {
    const name = nameOf(rule.kind);
    const about = h('span', { class: 'about' });
    const end = h(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': `End ${name}`,
        on: { click: () => void server.removeFault(id) },
      },
      'End',
    );
    const row = { element: h('p', {}, h('span', {}, h('strong', {}, name), ' ', about), end), about };
    rows.set(id, row);
    list.append(row.element);
    return row;
  }

  function refresh(): void {
    const { faults, nowMs } = store;
    list.hidden = faults.length === 0;
    for (const [id, { element }] of rows) {
      if (faults.some((fault) => fault.id === id)) continue;
      element.remove();
      rows.delete(id);
    }
    for (const fault of faults) setText((rows.get(fault.id) ?? add(fault)).about, faultInWords(fault, nowMs));
  }

  store.onNews((news, isSnapshot) => {
    if (isSnapshot || news.faults) refresh();
  });
  setInterval(refresh, REFRESH_MS);
}
