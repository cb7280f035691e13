/**
 * The Telegraf clients whose `callApi` is known to be Telegraf's own, because it was seen when the copy of Telegraf was
 * loaded and before a program could replace it. Only their calls may be made without them. Any other client (loaded
 * before lastcall, patched by the program, of a fork) makes its calls itself, which is slower, and always right.
 */
import { ownerOf, pristineBotOf, type TelegrafClass } from './internals.js';

/** The class of a copy of Telegraf that programs compare the errors of its calls with. */
export type TelegramErrorClass = new (response: object, on: object) => Error;

/** The copy, by its Telegraf class, that a `callApi` belongs to. */
const copies = new WeakMap<object, TelegrafClass>();
const errorClasses = new WeakMap<TelegrafClass, TelegramErrorClass>();

/** The `callApi` that the clients of a copy of Telegraf inherit. */
export function callApiOf(telegrafClass: TelegrafClass): {
  owner: object;
  callApi: (...args: unknown[]) => unknown;
} {
  const owner = ownerOf(pristineBotOf(telegrafClass).telegram, 'callApi');
  return { owner, callApi: Reflect.get(owner, 'callApi') };
}

/** Takes the present `callApi` of a copy of Telegraf for its own. To be called when nobody can have replaced it yet. */
export function rememberClient(telegrafClass: TelegrafClass): void {
  copies.set(callApiOf(telegrafClass).callApi, telegrafClass);
}

/** Sets the error class of a copy of Telegraf, once; until then its clients count as unknown. */
export function rememberErrorClass(telegrafClass: TelegrafClass, errorClass: TelegramErrorClass): void {
  if (!errorClasses.has(telegrafClass)) errorClasses.set(telegrafClass, errorClass);
}

/** Declares that lastcall's `replacement` does what the `original` does: it is known if the original is. */
export function rememberReplacement(original: object, replacement: object): void {
  const copy = copies.get(original);
  if (copy) copies.set(replacement, copy);
}

/** The error class that goes with a known `callApi`; undefined where either is unknown. */
export function errorClassFor(callApi: object): TelegramErrorClass | undefined {
  const copy = copies.get(callApi);
  return copy && errorClasses.get(copy);
}
