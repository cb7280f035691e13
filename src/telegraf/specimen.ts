/**
 * What a copy of Telegraf is like when nobody has touched it. Programs bring copies of any version 4; a fresh
 * instance of the same copy says which error handler, API root and client class are its own.
 */
import type { Context, Telegraf } from 'telegraf';
import type { ContextType } from './context.js';

export type TelegrafClass = typeof Telegraf;

/** What we need of a bot and what its type declares private; the names are those of every Telegraf 4. */
export interface BotInternals {
  readonly options: { handlerTimeout: number; contextType: ContextType };
  readonly telegram: { readonly options: ClientOptions };
  handleError: (error: unknown, ctx: unknown) => unknown;
  middleware(): (ctx: Context, next: unknown) => unknown;
  handleUpdate(update: unknown): Promise<unknown>;
}

/** The part of a client's options that decides where its calls go. */
export interface ClientOptions {
  apiRoot: string;
  agent?: unknown;
}

const specimens = new WeakMap<object, BotInternals>();

export function internalsOf(bot: object): BotInternals {
  return bot as BotInternals;
}

/** A fresh instance of the Telegraf class; making one calls nobody. */
export function specimenOf(telegrafClass: object): BotInternals {
  let specimen = specimens.get(telegrafClass);
  if (!specimen) {
    specimen = internalsOf(new (telegrafClass as TelegrafClass)('0:specimen'));
    specimens.set(telegrafClass, specimen);
  }
  return specimen;
}

/** The Telegraf class that a bot comes of, also where it is an instance of somebody's subclass. */
export function telegrafClassOf(bot: object): object {
  return ownerOf(bot, 'handleUpdate').constructor;
}

/** The prototype nearest to `Object.prototype` that has the method: where it was first declared. */
export function ownerOf(object: object, method: string): object {
  let owner: object | undefined;
  for (let next: unknown = object; isObject(next); next = Object.getPrototypeOf(next))
    if (Object.hasOwn(next, method)) owner = next;
  if (!owner) throw new TypeError(`nothing in the prototype chain has a method '${method}'`);
  return owner;
}

/** The functions of Telegraf's that ours stand in for, by ours. */
const originals = new WeakMap<object, object>();

/** Says of a function of ours that it does what the original does, so that nobody takes it for the program's. */
export function standsInFor(original: object, ours: object): void {
  originals.set(ours, original);
}

/** The function that one of ours stands in for; any other is its own. */
export function originalOf(method: object): object {
  return originals.get(method) ?? method;
}

/** Whether a value is a bot of some copy of Telegraf, told by what it can do. */
export function isBot(value: unknown): value is Telegraf {
  return (
    isObject(value) &&
    typeof value !== 'function' &&
    botMethods.every((method) => typeof Reflect.get(value, method) === 'function') &&
    isObject(Reflect.get(value, 'telegram'))
  );
}

/** Whether a value is the Telegraf class of some copy. */
export function isTelegrafClass(value: unknown): value is TelegrafClass {
  if (typeof value !== 'function' || !isObject(value.prototype)) return false;
  return botMethods.every((method) => typeof Reflect.get(value.prototype, method) === 'function');
}

const botMethods = ['launch', 'stop', 'handleUpdate', 'middleware'] as const;

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
