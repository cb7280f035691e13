/**
 * What lastcall uses of Telegraf beyond its public types, and how a bot and its class are recognised. Programs bring
 * copies of any version 4, each with classes of its own, so that `instanceof` tells nothing.
 */
import type { Context, Telegraf } from 'telegraf';
import type { ContextType } from './context.js';

export type TelegrafClass = typeof Telegraf;

/** Members of a bot that its type declares private. Every Telegraf 4 has them. */
export interface BotInternals {
  readonly options: { handlerTimeout: number; contextType: ContextType };
  readonly telegram: { readonly options: ClientOptions };
  /** All that has been registered, as one function. */
  readonly handler: unknown;
  handleError: (error: unknown, ctx: unknown) => unknown;
  middleware(): (ctx: Context, next: unknown) => unknown;
  handleUpdate(update: unknown): Promise<unknown>;
}

/** The options of a client that decide where its calls go. */
export interface ClientOptions {
  apiRoot: string;
  agent?: unknown;
}

export function internalsOf(bot: object): BotInternals {
  return bot as BotInternals;
}

const pristineBots = new WeakMap<object, BotInternals>();

/**
 * The bot of a class that other bots of the class are compared with: it is as the constructor left it. Made when first
 * asked for, which calls nobody.
 */
export function pristineBotOf(telegrafClass: object): BotInternals {
  let bot = pristineBots.get(telegrafClass);
  if (!bot) {
    bot = internalsOf(new (telegrafClass as TelegrafClass)('0:pristine'));
    pristineBots.set(telegrafClass, bot);
  }
  return bot;
}

/**
 * Whether errors of the bot's handlers go to the handler that Telegraf itself installs. Each bot gets a closure of its
 * own, so only the text can be compared. The comparison is sound: the closure uses nothing but its arguments and
 * globals, so a function with the same text does the same.
 */
export function hasDefaultErrorHandler(bot: BotInternals): boolean {
  return String(bot.handleError) === String(pristineBotOf(telegrafClassOf(bot)).handleError);
}

/** Whether anything has been registered on the bot. Its handler is compared like its error handler. */
export function hasHandlers(bot: object): boolean {
  const pristine = pristineBotOf(telegrafClassOf(bot));
  const { handler, handleUpdate, middleware } = internalsOf(bot);
  if (handleUpdate !== pristine.handleUpdate || middleware !== pristine.middleware) return true;
  return String(handler) !== String(pristine.handler);
}

/** The Telegraf class that a bot descends from, also where it is an instance of a program's subclass. */
export function telegrafClassOf(bot: object): object {
  return ownerOf(bot, 'handleUpdate').constructor;
}

/** The prototype nearest to `Object.prototype` that has the method: the one that declared it first. */
export function ownerOf(object: object, method: string): object {
  let owner: object | undefined;
  for (let next: unknown = object; isReference(next); next = Object.getPrototypeOf(next))
    if (Object.hasOwn(next, method)) owner = next;
  if (!owner) throw new TypeError(`nothing in the prototype chain has a method '${method}'`);
  return owner;
}

/** Whether a value is a bot of some copy of Telegraf 3 or 4. */
export function isBot(value: unknown): value is Telegraf {
  return (
    isReference(value) &&
    typeof value !== 'function' &&
    botMethods.every((method) => typeof Reflect.get(value, method) === 'function') &&
    isReference(Reflect.get(value, 'telegram'))
  );
}

/** Whether a value is the Telegraf class of some copy of version 4. */
export function isTelegrafClass(value: unknown): value is TelegrafClass {
  return isBotClass(value) && !isTelegraf3(value.prototype);
}

/** Whether a value is the Telegraf class of some copy of version 3. */
export function isTelegraf3Class(value: unknown): value is BotClass {
  return isBotClass(value) && isTelegraf3(value.prototype);
}

/** Whether a bot, or the prototype of bots, is of Telegraf 3, whose bots poll by themselves. */
export function isTelegraf3(bot: object): boolean {
  return typeof Reflect.get(bot, 'fetchUpdates') === 'function';
}

type BotClass = { readonly prototype: object };

function isBotClass(value: unknown): value is BotClass {
  if (typeof value !== 'function' || !isReference(value.prototype)) return false;
  return botMethods.every((method) => typeof Reflect.get(value.prototype, method) === 'function');
}

const botMethods = ['launch', 'stop', 'handleUpdate', 'middleware'] as const;

/** Whether a value has properties of its own, as functions and arrays have too. */
const isReference = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
