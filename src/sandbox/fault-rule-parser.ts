/** Parses fault rules that people and programs write: what each kind does, and which fields it has. */
import { isObject } from '../json.js';
import type { FaultRule } from './fault-rule.js';
import { FieldsError } from './fields-error.js';
import { isMethodName } from './methods.js';

interface Field {
  /** What the value has to be, in words that follow "must be". */
  readonly words: string;
  readonly accepts: (value: unknown) => boolean;
}

interface Kind {
  readonly help: string;
  readonly required?: readonly string[];
  readonly optional?: readonly string[];
}

/** The fields that say which requests fail, and for how long. */
const SCOPE = ['method', 'bot', 'after', 'times', 'fraction', 'forMs'] as const;

const kindsOfRequests: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['latency', { help: 'the request takes `ms` longer', required: ['ms'] }],
  ['too-many-requests', { help: 'a 429 with `retry_after`', required: ['retryAfterSeconds'] }],
  ['error', { help: 'an error in JSON', required: ['status'], optional: ['description'] }],
  ['html', { help: "a proxy's page", required: ['status'] }],
  ['reset', { help: 'the connection is reset' }],
  ['half-open', { help: 'the connection stays open, and nothing is answered on it' }],
  ['truncated', { help: 'the method is executed, and the answer is cut off' }],
  ['invalid-json', { help: 'the method is executed, and the answer is no JSON' }],
  ['revoked', { help: 'a 401, as for a revoked token' }],
]);

/** All kinds, each with the fields of the scope that make sense for it. */
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...Array.from(
    kindsOfRequests,
    ([name, kind]) => [name, { ...kind, optional: [...(kind.optional ?? []), ...SCOPE] }] as const,
  ),
  ['assorted', { help: 'for each request one of several faults, by chance', optional: ['of', ...SCOPE] }],
  [
    'refuse',
    {
      help: 'the server does not listen; give forMs, since nothing can end it meanwhile',
      optional: ['forMs'],
    },
  ],
  [
    'rival',
    {
      help: 'a second program polls; with confirms it takes the updates away',
      optional: ['confirms', 'bot', 'forMs'],
    },
  ],
]);

const whole = (value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;

/** The longest time that a timer of Node can wait. */
const MAX_MS = 2_147_483_647;

const milliseconds: Field = {
  words: 'a number of milliseconds, from 0',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= MAX_MS,
};
const count: Field = { words: 'a whole number, from 0', accepts: (value) => whole(value, 0) };

const fields: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['ms', milliseconds],
  [
    'retryAfterSeconds',
    { words: 'a whole number of seconds, from 0', accepts: (value) => whole(value, 0, 1_000_000) },
  ],
  ['description', { words: 'a text', accepts: (value) => typeof value === 'string' }],
  ['confirms', { words: 'true or false', accepts: (value) => typeof value === 'boolean' }],
  [
    'method',
    {
      words: 'the name of a Bot API method, or a list of such names',
      accepts: (value) => {
        const names: readonly unknown[] = Array.isArray(value) ? value : [value];
        return names.length > 0 && names.every((name) => typeof name === 'string' && isMethodName(name));
      },
    },
  ],
  [
    'bot',
    { words: 'the id of a bot, the number before the colon of its token', accepts: (id) => whole(id, 1) },
  ],
  ['after', count],
  ['times', count],
  [
    'fraction',
    {
      words: 'a number from 0 to 1',
      accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    },
  ],
  ['forMs', milliseconds],
]);

/** The status of an `error` speaks of a failure. A page may have any, but those without a body have no page. */
const statusOf: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['error', { words: 'a whole number from 400 to 599', accepts: (value) => whole(value, 400, 599) }],
  [
    'html',
    {
      words: 'a whole number from 200 to 599, but not 204, 205 or 304',
      accepts: (value) => whole(value, 200, 599) && ![204, 205, 304].includes(Number(value)),
    },
  ],
]);

/** Returns a fault rule that is fit to be applied. @throws FieldsError that says what is wrong with each field */
export function parseFaultRule(value: unknown): FaultRule {
  const problems = new Map<string, string>();
  if (!isRule(value, kinds, '', problems)) throw new FieldsError(problems);
  return value;
}

/** Describes all kinds with their fields, one a line. */
export function faultHelp(): string {
  const lines = Array.from(kinds, ([name, { help, required = [], optional = [] }]) => {
    const own = optional.filter((field) => ![...SCOPE, 'of'].includes(field));
    const shown = [...required, ...own.map((field) => `${field}?`)].join(', ');
    return `  ${name.padEnd(18)} ${shown.padEnd(22)} ${help}`;
  });
  return lines.join('\n');
}

interface FaultKind {
  readonly kind: string;
  readonly help: string;
  readonly fields: readonly {
    readonly name: string;
    readonly required: boolean;
    /** What the value has to be, in words that follow "must be". */
    readonly words: string;
  }[];
}

/** Returns all kinds, each with its fields except the choice of an assorted fault. */
export const faultKinds = (): readonly FaultKind[] =>
  Array.from(kinds, ([kind, { help, required = [], optional = [] }]) => ({
    kind,
    help,
    fields: [...required, ...optional]
      .filter((name) => name !== 'of')
      .map((name) => ({ name, required: required.includes(name), words: typeOf(kind, name).words })),
  }));

/** Whether a value is a rule of a known kind. Adds what is wrong to the problems, by field. */
function isRule(
  value: unknown,
  known: ReadonlyMap<string, Kind>,
  at: string,
  problems: Map<string, string>,
): value is FaultRule {
  const where = at === '' ? '' : `${at}: `;
  const path = (field: string) => (at === '' ? field : `${at}.${field}`);
  if (!isObject(value)) {
    problems.set(at || 'kind', `${where}a fault must be an object with a kind`);
    return false;
  }
  const name = value['kind'];
  const kind = typeof name === 'string' ? known.get(name) : undefined;
  if (typeof name !== 'string' || !kind) {
    const found = name === undefined ? 'kind is missing' : `there is no kind ${JSON.stringify(name)}`;
    problems.set(path('kind'), `${where}${found}; it must be one of ${[...known.keys()].join(', ')}`);
    return false;
  }
  const before = problems.size;
  const { required = [], optional = [] } = kind;
  for (const field of required)
    if (!Object.hasOwn(value, field))
      problems.set(path(field), `${where}${name} needs ${field}: ${typeOf(name, field).words}`);
  for (const [field, content] of Object.entries(value)) {
    if (field === 'kind') continue;
    if (!required.includes(field) && !optional.includes(field)) {
      const has = [...required, ...optional].join(', ') || 'none';
      problems.set(path(field), `${where}${name} has no field ${field}; it has ${has}`);
    } else if (field === 'of') checkChoice(content, problems);
    else {
      const { words, accepts } = typeOf(name, field);
      if (!accepts(content))
        problems.set(path(field), `${where}${field} must be ${words}, not ${JSON.stringify(content)}`);
    }
  }
  return problems.size === before;
}

function checkChoice(choice: unknown, problems: Map<string, string>): void {
  if (!Array.isArray(choice) || choice.length === 0)
    problems.set('of', 'of must be a list of at least one fault');
  else
    for (const [index, fault] of choice.entries()) isRule(fault, kindsOfRequests, `of[${index}]`, problems);
}

function typeOf(kind: string, field: string): Field {
  const type = field === 'status' ? statusOf.get(kind) : fields.get(field);
  if (!type) throw new Error(`the field ${field} of ${kind} has no type`);
  return type;
}
