/** The switches of the network: one for each kind of fault, with the fields that the server gives it. */
import type { Context } from './context.js';
import { h, part, setText } from './dom.js';
import type { FaultFieldView, FaultKindView, FaultView } from './protocol.js';
import { duration, plural } from './words.js';

/** Names for people, in the order in which they are shown. A kind without one has its own name, and comes last. */
const names: Readonly<Record<string, string>> = {
  reset: 'Down',
  refuse: 'Refusing connections',
  latency: 'Slow',
  'half-open': 'Half-open',
  'too-many-requests': '429 Too Many Requests',
  html: '502 from a proxy',
  truncated: 'Answers cut off',
  'invalid-json': 'Broken JSON',
  error: 'Server errors',
  revoked: 'Token revoked',
  rival: 'A rival polls',
  assorted: 'A bit of everything',
};

/** What a field begins with. */
const defaults: Readonly<Record<string, string>> = {
  ms: '2000',
  retryAfterSeconds: '5',
  'error/status': '500',
  'html/status': '502',
  'refuse/forMs': '10',
};

const labels: Readonly<Record<string, string>> = {
  ms: 'Milliseconds',
  retryAfterSeconds: 'Retry after (s)',
  status: 'Status',
  description: 'Description',
  confirms: 'Takes updates away',
  method: 'Only method',
  after: 'After so many',
  times: 'So many times',
  fraction: 'Share (%)',
  forMs: 'For (s)',
};

/** What the page shows in another unit than the server takes. */
const factors: Readonly<Record<string, number>> = { fraction: 0.01, forMs: 1_000 };

/** What a kind does, where the page says it in other words than the control API. */
const notes: Readonly<Record<string, string>> = {
  reset: 'Every connection is reset, with no answer.',
  refuse: 'Nothing listens. Only time ends it: nobody can reach the server meanwhile.',
  latency: 'Each call takes longer.',
  'half-open': 'Connections stay open, and nothing comes on them.',
  'too-many-requests': 'The bot calls too often, and is told when to come again.',
  html: 'A proxy in between answers with its own page.',
  truncated: 'The call is executed; its answer ends in the middle.',
  'invalid-json': 'The call is executed; its answer is no JSON.',
  error: 'The server fails, and says so in JSON.',
  revoked: 'Every call gets a 401.',
  rival: 'A second program polls with the same token.',
  assorted: 'Each call fails in another way, by chance.',
};

const nameOf = (kind: string): string => names[kind] ?? kind;

export class NetworkView {
  readonly element = h('div', { class: 'network' });
  readonly #context: Context;
  readonly #switches = new Map<string, { readonly button: HTMLButtonElement; readonly note: HTMLElement }>();

  constructor(context: Context) {
    this.#context = context;
    context.store.onNews((news, isSnapshot) => {
      if (isSnapshot) this.#build();
      if (isSnapshot || news.faults) this.#refresh();
    });
    setInterval(() => this.#refresh(), 500);
  }

  #build(): void {
    const order = Object.keys(names);
    const rank = ({ kind }: FaultKindView) => (order.includes(kind) ? order.indexOf(kind) : order.length);
    const kinds = [...this.#context.store.faultKinds].sort((one, other) => rank(one) - rank(other));
    this.#switches.clear();
    this.element.replaceChildren(
      h(
        'p',
        { class: 'hint' },
        'Break the network between the bot and the server. This page stays connected.',
      ),
      ...kinds.map((kind) => this.#card(kind)),
    );
  }

  #card(kind: FaultKindView): HTMLElement {
    const inputs = kind.fields
      .filter(({ name }) => name !== 'bot')
      .map((field) => ({ field, input: inputFor(kind.kind, field) }));
    const button = h(
      'button',
      {
        type: 'button',
        role: 'switch',
        'aria-checked': 'false',
        class: 'switch',
        on: { click: () => this.#toggle(kind, inputs) },
      },
      h('span', { class: 'knob', 'aria-hidden': 'true' }),
      h('span', { class: 'name' }, nameOf(kind.kind)),
    );
    const note = h('p', { class: 'note' }, noteOf(kind));
    this.#switches.set(kind.kind, { button, note });
    const fields = inputs.map(({ field, input }) =>
      h('label', { title: `must be ${field.words}` }, h('span', {}, labels[field.name] ?? field.name), input),
    );
    return h(
      'section',
      { class: 'fault', 'aria-label': nameOf(kind.kind) },
      button,
      note,
      h('details', {}, h('summary', {}, 'How much, how long'), h('div', { class: 'fields' }, ...fields)),
    );
  }

  #toggle(
    { kind }: FaultKindView,
    inputs: readonly { readonly field: FaultFieldView; readonly input: HTMLInputElement }[],
  ): void {
    const { server, store } = this.#context;
    const active = store.faults.filter(({ rule }) => rule.kind === kind);
    if (active.length > 0) {
      for (const { id } of active) void server.removeFault(id);
      return;
    }
    const fields = inputs.flatMap(({ field, input }) => {
      const value = contentOf(field, input);
      return value === undefined ? [] : [[field.name, value] as const];
    });
    void server.addFault({ kind, ...Object.fromEntries(fields) });
  }

  #refresh(): void {
    const { store } = this.#context;
    for (const [kind, { button, note }] of this.#switches) {
      const active = store.faults.filter(({ rule }) => rule.kind === kind);
      button.setAttribute('aria-checked', `${active.length > 0}`);
      const known = store.faultKinds.find((candidate) => candidate.kind === kind);
      if (known) setText(note, active.map((fault) => this.#inWords(fault)).join('; ') || noteOf(known));
    }
    this.#showActive();
  }

  /** Shows the faults in force at the top of the page, each with a button that ends it. */
  #showActive(): void {
    const { store, server } = this.#context;
    const list = part('active-faults');
    list.hidden = store.faults.length === 0;
    const known = new Set([...list.children].map((item) => item.getAttribute('data-id')));
    const current = new Set(store.faults.map(({ id }) => `${id}`));
    for (const item of [...list.children])
      if (!current.has(item.getAttribute('data-id') ?? '')) item.remove();
    for (const fault of store.faults) {
      if (!known.has(`${fault.id}`)) {
        const end = h(
          'button',
          { type: 'button', class: 'plain', on: { click: () => void server.removeFault(fault.id) } },
          'End',
        );
        const words = h(
          'span',
          {},
          h('strong', {}, nameOf(fault.rule.kind)),
          ' ',
          h('span', { class: 'about' }),
        );
        list.append(h('p', { 'data-id': fault.id }, words, end));
      }
      const about = list.querySelector(`[data-id="${fault.id}"] .about`);
      if (about) setText(about, this.#inWords(fault));
    }
  }

  #inWords({ hits, endsAtMs, rule }: FaultView): string {
    const share =
      typeof rule['fraction'] === 'number' ? `${Math.round(rule['fraction'] * 100)} % of calls` : undefined;
    const hit = rule.kind === 'refuse' || rule.kind === 'rival' ? undefined : `${plural(hits, 'call')} hit`;
    const left =
      endsAtMs === undefined
        ? undefined
        : `ends in ${duration(Math.max(0, Math.ceil((endsAtMs - this.#context.store.nowMs) / 1_000) * 1_000))}`;
    const { ms, status, retryAfterSeconds } = rule;
    const much =
      typeof ms === 'number'
        ? `by ${duration(ms)}`
        : retryAfterSeconds !== undefined
          ? `retry after ${retryAfterSeconds} s`
          : status !== undefined
            ? `status ${status}`
            : undefined;
    return [much, hit, share, left].filter((words) => words !== undefined).join(' · ') || 'in force';
  }
}

const noteOf = ({ kind, help }: FaultKindView): string => notes[kind] ?? help;

function inputFor(kind: string, { name, type, min, max }: FaultFieldView): HTMLInputElement {
  const factor = factors[name] ?? 1;
  const value = defaults[`${kind}/${name}`] ?? defaults[name];
  if (type === 'boolean') return h('input', { type: 'checkbox' });
  if (type === 'text') return h('input', { type: 'text', autocomplete: 'off', value });
  return h('input', {
    type: 'number',
    step: 'any',
    min: min === undefined ? undefined : min / factor,
    max: max === undefined ? undefined : max / factor,
    value,
  });
}

/** Returns the value of a field as the server takes it; undefined for an empty one. */
function contentOf({ name, type }: FaultFieldView, input: HTMLInputElement): unknown {
  if (type === 'boolean') return input.checked ? true : undefined;
  const text = input.value.trim();
  if (text === '') return undefined;
  if (type === 'text') return text;
  return Number((Number(text) * (factors[name] ?? 1)).toFixed(6));
}
