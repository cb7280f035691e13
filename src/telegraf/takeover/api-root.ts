/** Sends the calls of bots that were built with Telegraf's default API root to another one. */
import {
  type ClientOptions,
  internalsOf,
  ownerOf,
  specimenOf,
  standsInFor,
  type TelegrafClass,
  telegrafClassOf,
} from '../specimen.js';
import type { Patches } from './patches.js';

/**
 * What clients of this copy call goes to `apiRoot`, from the first call on, unless they were built with a root of
 * their own. Clients made from another client's options (`ctx.telegram`) inherit it.
 */
export function redirectCalls(telegrafClass: TelegrafClass, apiRoot: string, patches: Patches): void {
  const { telegram } = specimenOf(telegrafClass);
  const prototype = ownerOf(telegram, 'callApi');
  const callApi: (...args: unknown[]) => unknown = Reflect.get(prototype, 'callApi');
  const redirected = function (this: { options: ClientOptions }, ...args: unknown[]) {
    if (patches.active) redirect(this.options, telegram.options.apiRoot, apiRoot);
    return Reflect.apply(callApi, this, args);
  };
  standsInFor(callApi, redirected);
  patches.replace(prototype, 'callApi', redirected);
}

/** The same for one bot at once: polling reads the options without making a call through Telegraf first. */
export function redirectBot(bot: object, apiRoot: string): void {
  const { telegram } = specimenOf(telegrafClassOf(bot));
  redirect(internalsOf(bot).telegram.options, telegram.options.apiRoot, apiRoot);
}

function redirect(options: ClientOptions, defaultRoot: string, apiRoot: string): void {
  if (options.apiRoot !== defaultRoot) return;
  options.apiRoot = apiRoot;
  // As Telegraf's own constructor does it: an agent for https cannot speak http.
  if (apiRoot.startsWith('http://')) options.agent = undefined;
}
