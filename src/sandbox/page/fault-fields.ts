/** The fields of a fault: how much, how often, how long. */
import type { FaultFieldView, FaultKindView } from '../page-protocol.js';
import { h } from './dom.js';

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

/** A form for the fields of a kind of fault. `values` reads what has been filled in, as the server takes it. */
export function faultFields({ kind, fields }: FaultKindView): {
  readonly element: HTMLElement;
  readonly values: () => object;
} {
  const inputs = fields
    .filter(({ name }) => name !== 'bot')
    .map((field) => ({ field, input: inputFor(kind, field) }));
  const rows = inputs.map(({ field, input }) =>
    h('label', { title: `must be ${field.words}` }, h('span', {}, labels[field.name] ?? field.name), input),
  );
  return {
    element: h('div', { class: 'fields' }, ...rows),
    values: () =>
      Object.fromEntries(
        inputs.flatMap(({ field, input }) => {
          const value = contentOf(field, input);
          return value === undefined ? [] : [[field.name, value] as const];
        }),
      ),
  };
}

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
