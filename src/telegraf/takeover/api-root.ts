/** Sends the calls of bots that were built with Telegraf's default API root to another one. */
import {
  type ClientOptions,
  internalsOf,
  pristineBotOf,
  type TelegrafClass,
  telegrafClassOf,
} from '../internals.js';
import { callApiOf, rememberReplacement } from '../known-clients.js';
import type { Patches } from './patches.js';

/**
 * Sends the calls of a copy's clients to `apiRoot`, from the first call on, unless they were built with a root of their
 * own. Clients made from another client's options (`ctx.telegram`) inherit it.
 */
export function redirectCalls(telegrafClass: TelegrafClass, apiRoot: string, patches: Patches): void {
  const { owner, callApi } = callApiOf(telegrafClass);
  const redirected = function (this: { options: ClientOptions }, ...args: unknown[]) {
    if (patches.active) redirect(this.options, defaultRootOf(telegrafClass), apiRoot);
    return Reflect.apply(callApi, this, args);
  };
  rememberReplacement(callApi, redirected);
  patches.replace(owner, 'callApi', redirected);
}

/** Sends the calls of one bot to `apiRoot` at once: polling reads the options before Telegraf makes any call. */
export function redirectBot(bot: object, apiRoot: string): void {
  redirect(internalsOf(bot).telegram.options, defaultRootOf(telegrafClassOf(bot)), apiRoot);
}

const defaultRootOf = (telegrafClass: object): string =>
  pristineBotOf(telegrafClass).telegram.options.apiRoot;

function redirect(options: ClientOptions, defaultRoot: string, apiRoot: string): void {
  if (options.apiRoot !== defaultRoot) return;
  options.apiRoot = apiRoot;
  // As Telegraf's own constructor does it: an agent for https cannot speak http.
  if (apiRoot.startsWith('http://')) options.agent = undefined;
}
