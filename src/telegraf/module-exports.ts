/** Looks for a bot and its rule of order in what a module exports, and describes exports without a bot. */
import { kindOfFunction, parametersInWords } from './function-parameters.js';
import { isBot, isTelegrafClass } from './internals.js';
import type { Loaded } from './load.js';

/**
 * The form of a bot module by its default export, also where an ES module was compiled to CommonJS; undefined if the
 * module exports neither a bot nor a function that could set one up.
 */
export function formOf(exports: unknown): Exclude<Loaded, { form: 'program' }> | undefined {
  const candidates = [exports, defaultOf(exports), defaultOf(defaultOf(exports))];
  const orderKey = candidates.map(orderKeyOf).find((rule) => rule !== undefined);
  for (const candidate of candidates) {
    if (isBot(candidate)) return { form: 'instance', useWhen: 'settled', bot: candidate, orderKey };
    if (!isFunction(candidate) || isClass(candidate)) continue;
    const kind = kindOfFunction(candidate);
    if (kind === 'other') continue;
    const setup = (context: unknown) => Reflect.apply(candidate, undefined, [context]);
    return { form: 'function', useWhen: useWhen[kind], setup, orderKey };
  }
  return undefined;
}

/** A function without parameters may be the `main()` of a program that calls it itself. */
const useWhen = { 'set-up': 'loaded', unclear: 'settled', main: 'at-rest' } as const;

type AnyFunction = (...args: never[]) => unknown;

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function';

function orderKeyOf(value: unknown): unknown {
  const mayHaveOne = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return mayHaveOne ? Reflect.get(value, 'orderKey') : undefined;
}

function defaultOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, 'default') : undefined;
}

/** Whether a value is a class, which cannot be called: only a class has a `prototype` that is not writable. */
function isClass(value: unknown): boolean {
  return (
    typeof value === 'function' && Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
  );
}

/** Exports that hold no bot, in words that let the module's author see what is missing. */
export function describeExports(exports: unknown): string {
  if (isBot(exports)) return describeValue(exports);
  const given = defaultOf(exports);
  if (given !== undefined) return `as default ${describeValue(given)}`;
  if (typeof exports !== 'object' || exports === null) return describeValue(exports);
  const names = Object.keys(exports).filter((name) => name !== '__esModule');
  return names.length === 0 ? 'nothing' : `no default, only ${list(names)}`;
}

function describeValue(value: unknown): string {
  if (isBot(value)) return 'a Telegraf instance';
  if (isTelegrafClass(value)) return 'the Telegraf class, not an instance of it';
  if (isClass(value)) return 'a class, not a function';
  if (isFunction(value)) {
    const words = `a function of ${parametersInWords(value)}`;
    return kindOfFunction(value) === 'other' ? `${words}, which cannot set up a bot` : words;
  }
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (value instanceof Promise) return 'a promise, not a bot';
  const names = Object.keys(value);
  return names.length === 0 ? 'an empty object' : `an object with ${list(names)}`;
}

const list = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
