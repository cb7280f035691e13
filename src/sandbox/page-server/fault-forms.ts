/** How a form asks for each field of a fault. */
import { faultKinds } from '../fault-rule-parser.js';
import type { FaultFieldView, FaultKindView } from '../page-protocol.js';

type Input = Pick<FaultFieldView, 'type' | 'min' | 'max'>;

const count: Input = { type: 'number', min: 0 };
const text: Input = { type: 'text' };

/** A field that is not here is asked for as a text. */
const inputs: Readonly<Record<string, Input>> = {
  ms: count,
  forMs: count,
  after: count,
  times: count,
  retryAfterSeconds: count,
  bot: { type: 'number', min: 1 },
  status: { type: 'number', min: 200, max: 599 },
  fraction: { type: 'number', min: 0, max: 1 },
  confirms: { type: 'boolean' },
};

export const faultForms = (): readonly FaultKindView[] =>
  faultKinds().map(({ kind, help, fields }) => ({
    kind,
    help,
    fields: fields.map((field) => ({ ...field, ...(inputs[field.name] ?? text) })),
  }));
