/**
 * An error as fields of a log line: what it is, what it says, how it came about, and what to do about it. Of an error's
 * own properties only plain figures and short texts are kept: Telegraf's errors carry whole requests, with what people
 * wrote in them.
 */
import { types } from 'node:util';
import { LastcallError } from '../errors.js';

/** How far causes are followed, and how many errors of an AggregateError are told. */
const DEEPEST = 8;
const MOST_ERRORS = 10;
const LONGEST_TEXT = 500;
const LONGEST_STACK = 4_000;

export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly culprit?: string;
  readonly likelyCause?: string;
  readonly nextStep?: string;
  /** The method of the Bot API that the call was for. */
  readonly method?: string;
  readonly cause?: ErrorFields;
  /** Those of an AggregateError. */
  readonly errors?: readonly ErrorFields[];
  /** Further properties of the error's own: `code`, `errno`, `syscall`, … */
  readonly [property: string]: unknown;
}

/** Anything can be thrown; never throws itself, whatever it is given. */
export function errorFields(thrown: unknown): ErrorFields {
  return describe(thrown, []);
}

/** The same for what is an error; anything else stays what it is. */
export function errorFieldsOrValue(value: unknown): unknown {
  return isError(value) ? errorFields(value) : value;
}

/** An error as a text of limited length: its stack, which begins with what it is and says. */
export function errorText(thrown: unknown): string {
  const { type, message, stack } = errorFields(thrown);
  return (stack ?? `${type}: ${message}`).slice(0, LONGEST_STACK);
}

function describe(thrown: unknown, above: readonly unknown[]): ErrorFields {
  if (above.includes(thrown)) return { type: 'circular', message: 'an error that is already above' };
  if (above.length >= DEEPEST) return { type: 'cut', message: 'further causes are left out' };
  if (!isError(thrown)) return { type: typeof thrown, message: inWords(thrown) };

  const path = [...above, thrown];
  const cause = read(thrown, 'cause');
  const errors = read(thrown, 'errors');
  const method = read(read(thrown, 'on'), 'method');
  return {
    ...ownFigures(thrown),
    type: typeOf(thrown),
    message: textOf(read(thrown, 'message')) ?? '',
    ...(types.isNativeError(thrown) &&
      thrown instanceof LastcallError && { likelyCause: thrown.likelyCause, nextStep: thrown.nextStep }),
    ...(typeof method === 'string' && { method }),
    ...stackOf(thrown),
    ...(cause !== undefined && { cause: describe(cause, path) }),
    ...(Array.isArray(errors) && {
      errors: errors.slice(0, MOST_ERRORS).map((error: unknown) => describe(error, path)),
    }),
  };
}

/** Errors of other realms (a bot program may run scripts in one), and what only looks like one, are errors too. */
function isError(value: unknown): value is Error {
  if (types.isNativeError(value)) return true;
  return textOf(read(value, 'message')) !== undefined && textOf(read(value, 'stack')) !== undefined;
}

/** A class may leave `name` as it is in Error; then its own name says more. */
function typeOf(error: Error): string {
  const name = textOf(read(error, 'name'));
  if (name !== undefined && name !== 'Error') return name;
  return textOf(read(read(error, 'constructor'), 'name')) || 'Error';
}

function ownFigures(error: Error): Record<string, unknown> {
  const figures: Record<string, unknown> = {};
  for (const key of keysOf(error)) {
    if (key === 'name') continue;
    const value = read(error, key);
    const plain = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
    if (plain) figures[key] = typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : value;
  }
  return figures;
}

function stackOf(error: Error): { readonly stack?: string } {
  const stack = textOf(read(error, 'stack'));
  return stack === undefined ? {} : { stack };
}

/** A property of anything; undefined where there is none, or reading it throws. */
function read(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

function keysOf(value: object): readonly string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function inWords(thrown: unknown): string {
  try {
    const text = typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : String(thrown);
    return text.slice(0, LONGEST_TEXT);
  } catch {
    return 'something that cannot be shown';
  }
}
