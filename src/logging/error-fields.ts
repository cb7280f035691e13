/**
 * Describes an error as fields of a log line. Of an error's own properties only plain figures and short texts are kept,
 * because Telegraf's errors carry whole requests, with what people wrote in them.
 */
import { types } from 'node:util';
import { LastcallError } from '../errors.js';
import { attempt, plainData, readProperty, UNREADABLE } from './plain-data.js';

const DEEPEST_CAUSE = 8;
/** How many errors of an AggregateError are described, and how deep such errors may be nested. */
const MOST_ERRORS = 10;
const DEEPEST_ERRORS = 2;
const LONGEST_TEXT = 500;
const LONGEST_STACK = 4_000;

export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly culprit?: string;
  readonly likelyCause?: string;
  readonly nextStep?: string;
  /** The Bot API method of the call that failed. */
  readonly method?: string;
  readonly cause?: ErrorFields;
  /** The errors of an AggregateError. */
  readonly errors?: readonly ErrorFields[];
  /** Further own properties of the error: `code`, `errno`, `syscall`, … */
  readonly [property: string]: unknown;
}

/** Describes whatever was thrown. Never throws itself. */
export function errorFields(thrown: unknown): ErrorFields {
  return attempt(() => describe(thrown, []), { type: typeof thrown, message: UNREADABLE });
}

/** Describes an error as {@link errorFields} does, and returns any other value as it is. */
export function errorFieldsOrValue(value: unknown): unknown {
  return isError(value) ? errorFields(value) : value;
}

/** Returns an error's stack, or else its type and message, cut to a few thousand characters. */
export function errorText(thrown: unknown): string {
  const { type, message, stack } = errorFields(thrown);
  return (stack ?? `${type}: ${message}`).slice(0, LONGEST_STACK);
}

function describe(thrown: unknown, above: readonly unknown[]): ErrorFields {
  if (above.includes(thrown)) return { type: 'circular', message: 'an error that is already above' };
  if (above.length >= DEEPEST_CAUSE) return { type: 'cut', message: 'further causes are left out' };
  if (!isError(thrown)) return { type: typeof thrown, message: inWords(thrown) };

  const path = [...above, thrown];
  const ours = attempt(() => (thrown instanceof LastcallError ? thrown : undefined), undefined);
  const stack = readProperty(thrown, 'stack');
  const cause = readProperty(thrown, 'cause');
  const errors = attempt(() => firstErrors(readProperty(thrown, 'errors')), undefined);
  const method = readProperty(readProperty(thrown, 'on'), 'method');
  return {
    ...ownFigures(thrown),
    type: typeOf(thrown),
    message: textOf(readProperty(thrown, 'message')) ?? '',
    ...(ours && { likelyCause: ours.likelyCause, nextStep: ours.nextStep }),
    ...(typeof method === 'string' && { method }),
    ...(typeof stack === 'string' && { stack }),
    ...(cause !== undefined && { cause: describe(cause, path) }),
    ...(errors && above.length < DEEPEST_ERRORS && { errors: errors.map((error) => describe(error, path)) }),
  };
}

/**
 * Whether the value is an error, also of another realm (a bot program may run scripts in one), or looks like one. In newer
 * versions of Node the proxy of an error has no stack, so a name has to do.
 */
function isError(value: unknown): value is object {
  if (types.isNativeError(value)) return true;
  if (textOf(readProperty(value, 'message')) === undefined) return false;
  return (
    textOf(readProperty(value, 'stack')) !== undefined ||
    (textOf(readProperty(value, 'name')) ?? '').endsWith('Error')
  );
}

/** Returns the error's `name`, or the name of its class where that leaves `name` as it is in Error. */
function typeOf(error: object): string {
  const name = textOf(readProperty(error, 'name'));
  if (name !== undefined && name !== 'Error') return name;
  return textOf(readProperty(readProperty(error, 'constructor'), 'name')) || 'Error';
}

function firstErrors(errors: unknown): unknown[] | undefined {
  return Array.isArray(errors) ? errors.slice(0, MOST_ERRORS) : undefined;
}

function ownFigures(error: object): Record<string, unknown> {
  const figures: Record<string, unknown> = {};
  for (const key of attempt(() => Object.keys(error), [])) {
    if (key === 'name') continue;
    const value = readProperty(error, key);
    if (typeof value === 'string') figures[key] = value.slice(0, LONGEST_TEXT);
    if (typeof value === 'number' || typeof value === 'boolean') figures[key] = value;
  }
  return figures;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function inWords(thrown: unknown): string {
  const isObject = typeof thrown === 'object' && thrown !== null;
  const text = isObject ? JSON.stringify(plainData(thrown)) : attempt(() => String(thrown), UNREADABLE);
  return text.slice(0, LONGEST_TEXT);
}
