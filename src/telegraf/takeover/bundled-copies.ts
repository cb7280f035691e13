/**
 * Finds copies of Telegraf that no module exports, since a bundler has put them into the program's own file. Their class
 * is known by what it does: its constructor sets `webhookFilter`, from Telegraf 4.9 on, and bundlers keep the names of
 * properties, also where they shorten those of variables. Until the constructor has set it, the property is inherited.
 */
import { isTelegrafClass, ownerOf, type TelegrafClass } from '../internals.js';
import type { Patches } from './patches.js';

const SET_BY_CONSTRUCTOR = 'webhookFilter';

/** Calls `found` with the Telegraf class of each bot that is made, before its constructor returns. */
export function watchConstructors(found: (telegrafClass: TelegrafClass) => void, patches: Patches): void {
  // As under node --frozen-intrinsics.
  if (!Object.isExtensible(Object.prototype)) return;
  patches.define(Object.prototype, SET_BY_CONSTRUCTOR, {
    get: () => undefined,
    set(this: unknown, value: unknown) {
      if (typeof this !== 'object' || this === null) return;
      // As without the setter: the object gets a property of its own.
      Object.defineProperty(this, SET_BY_CONSTRUCTOR, {
        configurable: true,
        enumerable: true,
        writable: true,
        value,
      });
      const telegrafClass = classOf(this);
      if (isTelegrafClass(telegrafClass)) found(telegrafClass);
    },
  });
}

/** The Telegraf class of an unfinished bot; anything but that for any other object. */
function classOf(object: object): unknown {
  const isLikeBot = typeof Reflect.get(object, 'handleUpdate') === 'function';
  return isLikeBot ? ownerOf(object, 'handleUpdate').constructor : undefined;
}
