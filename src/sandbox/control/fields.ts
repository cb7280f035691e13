/** The schema of control requests: which fields a request has, and what each may be. */
import { FieldsError } from '../fields-error.js';

/** The longest time that a timer of Node can wait. */
const MAX_MS = 2_147_483_647;
/** The largest id that a JSON number of the Bot API may have: 52 bits. */
const MAX_ID = 4_503_599_627_370_495;
const MAX_NAME_LENGTH = 64;

export interface Field<T> {
  /** What the value has to be, in words that follow "must be". */
  readonly words: string;
  readonly isOptional?: true;
  /** Returns the value, or undefined for one that it must not be. */
  parse(given: unknown): T | undefined;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of fields. */
export type ValuesOf<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends { readonly isOptional: true; parse(given: unknown): infer T }
    ? T | undefined
    : F[Name] extends Field<infer T>
      ? T
      : never;
};

/** @throws FieldsError that names each field that is wrong, missing or unknown */
export function parseFields<F extends Fields>(
  fields: F,
  given: Readonly<Record<string, unknown>>,
): ValuesOf<F> {
  const problems = new Map<string, string>();
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = given[name];
    if (value === undefined) {
      if (!field.isOptional) problems.set(name, `${name} is missing: it must be ${field.words}`);
      continue;
    }
    values[name] = field.parse(value);
    if (values[name] === undefined)
      problems.set(name, `${name} must be ${field.words}, not ${shortened(value)}`);
  }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(fields, name))
      problems.set(name, `there is no field ${name}; expected ${Object.keys(fields).join(', ')}`);
  if (problems.size > 0) throw new FieldsError(problems);
  return values as ValuesOf<F>;
}

function shortened(value: unknown): string {
  const json = JSON.stringify(value) ?? `${value}`;
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

export const optional = <T>(field: Field<T>): Field<T> & { readonly isOptional: true } => ({
  ...field,
  isOptional: true,
});

export const text = (maxLength: number): Field<string> => ({
  words: `a text of 1 to ${maxLength} characters`,
  parse: (given) =>
    typeof given === 'string' && given.trim() !== '' && given.length <= maxLength ? given : undefined,
});

/** A text that may be empty. */
export const anyText = (maxLength: number): Field<string> => ({
  words: `a text of at most ${maxLength} characters`,
  parse: (given) => (typeof given === 'string' && given.length <= maxLength ? given : undefined),
});

/** The name of a person. */
export const personName: Field<string> = text(MAX_NAME_LENGTH);

/** Numbers may also be given as text, since a query string has nothing else. */
export const whole = (min: number, max: number): Field<number> => ({
  words: `a whole number from ${min} to ${max}`,
  parse: (given) => {
    const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
    return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
      ? Number(value)
      : undefined;
  },
});

/** A number between two others, or one of them. */
export const between = (min: number, max: number): Field<number> => ({
  words: `a number from ${min} to ${max}`,
  parse: (given) => (typeof given === 'number' && given >= min && given <= max ? given : undefined),
});

export const milliseconds: Field<number> = whole(0, MAX_MS);

/** The id of a chat or a person. */
export const id: Field<number> = {
  words: 'a whole number other than 0',
  parse: (given) => whole(-MAX_ID, MAX_ID).parse(given) || undefined,
};

export const oneOf = <Name extends string>(names: readonly Name[]): Field<Name> => ({
  words: `one of ${names.join(', ')}`,
  parse: (given) => names.find((name) => name === given),
});

/** A list, in which each item is what `field` says. */
export const listOf = <T>(field: Field<T>): Field<readonly T[]> => ({
  words: `a list, each item of it ${field.words}`,
  parse: (given) => {
    if (!Array.isArray(given)) return undefined;
    const items: T[] = [];
    for (const item of given) {
      const parsed = field.parse(item);
      if (parsed === undefined) return undefined;
      items.push(parsed);
    }
    return items;
  },
});

/** Any value, which is looked at elsewhere. */
export const anything = (words: string): Field<unknown> => ({ words, parse: (given) => given });
