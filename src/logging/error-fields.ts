/** Describes errors as fields of a log line. Omits the requests in Telegraf's errors, which contain what people wrote. */
import {
  describeThrown,
  isError,
  isLastcallError,
  readProperty,
  readText,
  tryOr,
  UNREADABLE,
} from '../thrown.js';
import { plainData } from './plain-data.js';

const MAX_CAUSE_DEPTH = 8;
/** How many errors of an AggregateError are described, and how deep such errors may be nested. */
const MAX_ERRORS = 10;
const MAX_ERRORS_DEPTH = 2;
const MAX_TEXT_LENGTH = 500;
const MAX_STACK_LENGTH = 4_000;

export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  /** The Bot API method of the call that failed. */
  readonly method?: string;
  readonly cause?: ErrorFields;
  readonly errors?: readonly ErrorFields[];
  /** Further own properties of the error: `code`, `errno`, `syscall`, … */
  readonly [property: string]: unknown;
}

/** An error that an earlier line tells in full, with its stack. It is described without the stacks, its own and its causes'. */
export class ToldError {
  readonly #fields: ErrorFields;

  constructor(error: unknown) {
    this.#fields = withoutStacks(errorFields(error));
  }

  /** Returns the description, or undefined for any other value. Looks at no property of the value, which could throw. */
  static fieldsOf(value: unknown): ErrorFields | undefined {
    return typeof value === 'object' && value !== null && #fields in value ? value.#fields : undefined;
  }
}

/** Describes any thrown value. Never throws. */
export function errorFields(thrown: unknown): ErrorFields {
  const told = ToldError.fieldsOf(thrown);
  if (told) return told;
  return tryOr(() => describe(thrown, []), { type: typeof thrown, message: UNREADABLE });
}

/** Describes an error as {@link errorFields} does, and returns any other value as it is. */
export function errorFieldsOrValue(value: unknown): unknown {
  return ToldError.fieldsOf(value) ?? (isError(value) ? errorFields(value) : value);
}

/** Returns an error's stack, or else its type and message, cut to `MAX_STACK_LENGTH` characters. */
export function errorText(thrown: unknown): string {
  const { type, message, stack } = errorFields(thrown);
  return (stack ?? `${type}: ${message}`).slice(0, MAX_STACK_LENGTH);
}

function describe(thrown: unknown, above: readonly unknown[]): ErrorFields {
  if (above.includes(thrown)) return { type: 'circular', message: 'an error that is already above' };
  if (above.length >= MAX_CAUSE_DEPTH) return { type: 'cut', message: 'further causes are left out' };
  if (!isError(thrown)) return { type: typeof thrown, message: inWords(thrown) };

  const path = [...above, thrown];
  const stack = readText(thrown, 'stack');
  const cause = readProperty(thrown, 'cause');
  const errors = tryOr(() => firstErrors(readProperty(thrown, 'errors')), undefined);
  const method = readText(readProperty(thrown, 'on'), 'method');
  return {
    ...ownPrimitives(thrown),
    type: typeOf(thrown),
    message: describeThrown(thrown),
    ...(isLastcallError(thrown) && { likelyCause: thrown.likelyCause, nextStep: thrown.nextStep }),
    ...(method !== undefined && { method }),
    ...(stack !== undefined && { stack }),
    ...(cause !== undefined && { cause: describe(cause, path) }),
    ...(errors &&
      above.length < MAX_ERRORS_DEPTH && { errors: errors.map((error) => describe(error, path)) }),
  };
}

function withoutStacks({ stack, cause, errors, ...rest }: ErrorFields): ErrorFields {
  return {
    ...rest,
    ...(cause && { cause: withoutStacks(cause) }),
    ...(errors && { errors: errors.map(withoutStacks) }),
  };
}

/** Returns the error's `name`, or the name of its class if the class does not set `name`. */
function typeOf(error: object): string {
  const name = readText(error, 'name');
  if (name !== undefined && name !== 'Error') return name;
  return readText(readProperty(error, 'constructor'), 'name') || 'Error';
}

function firstErrors(errors: unknown): unknown[] | undefined {
  return Array.isArray(errors) ? errors.slice(0, MAX_ERRORS) : undefined;
}

function ownPrimitives(error: object): Record<string, unknown> {
  const primitives: Record<string, unknown> = {};
  for (const key of tryOr(() => Object.keys(error), [])) {
    if (key === 'name') continue;
    const value = readProperty(error, key);
    if (typeof value === 'string') primitives[key] = value.slice(0, MAX_TEXT_LENGTH);
    if (typeof value === 'number' || typeof value === 'boolean') primitives[key] = value;
  }
  return primitives;
}

function inWords(thrown: unknown): string {
  const isObject = typeof thrown === 'object' && thrown !== null;
  const text = isObject ? JSON.stringify(plainData(thrown)) : tryOr(() => String(thrown), UNREADABLE);
  return text.slice(0, MAX_TEXT_LENGTH);
}
