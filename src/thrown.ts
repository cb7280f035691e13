/** Deals with what code throws, which can be any value. Nothing here throws, whatever getters and proxies do. */
import { inspect, types } from 'node:util';
import { LastcallError } from './errors.js';

/** Stands for what throws when it is looked at. */
export const UNREADABLE = '[unreadable]';

/** Returns what the function returns, or the fallback if it throws. */
export function tryOr<T>(look: () => T, fallback: T): T {
  try {
    return look();
  } catch {
    return fallback;
  }
}

/** Reads a property of any value: undefined if there is none, the fallback if reading it throws. */
export function readProperty(value: unknown, name: string, fallback?: unknown): unknown {
  return tryOr((): unknown => Reflect.get(Object(value), name), fallback);
}

/** Reads a property of any value: undefined if it is not a text, or if reading it throws. */
export function readText(value: unknown, name: string): string | undefined {
  const text = readProperty(value, name);
  return typeof text === 'string' ? text : undefined;
}

/**
 * Whether the value is an error, also of another realm (a bot program may run scripts in one), or looks like one. In newer
 * versions of Node the proxy of an error has no stack, so a name has to do.
 */
export function isError(value: unknown): value is object {
  if (types.isNativeError(value)) return true;
  if (readText(value, 'message') === undefined) return false;
  return readText(value, 'stack') !== undefined || (readText(value, 'name') ?? '').endsWith('Error');
}

/** Whether lastcall itself has raised the error. */
export function isLastcallError(thrown: unknown): thrown is LastcallError {
  return tryOr(() => thrown instanceof LastcallError, false);
}

/** Describes a thrown value in one line: an error by its message. */
export function describeThrown(thrown: unknown): string {
  if (isError(thrown)) return readText(thrown, 'message') ?? UNREADABLE;
  return tryOr(() => inspect(thrown, { depth: 0, breakLength: Infinity }), UNREADABLE);
}
