import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { watchConstructors } from '../../../src/telegraf/takeover/bundled-copies.js';
import { Patches } from '../../../src/telegraf/takeover/patches.js';

/** Does with its instances what Telegraf does. */
class LikeTelegraf {
  declare webhookFilter: () => boolean;

  constructor() {
    this.webhookFilter = () => true;
  }
  launch() {}
  stop() {}
  handleUpdate() {}
  middleware() {}
}
class Derived extends LikeTelegraf {}

let patches: Patches;
let found: unknown[];
beforeEach(() => {
  patches = new Patches();
  found = [];
  watchConstructors((telegrafClass) => found.push(telegrafClass), patches);
});
afterEach(() => patches.undo());

describe('the constructors of bots', () => {
  it('tell the class, also that of a subclass, and leave the bots as they would be', () => {
    const bot = new Derived();
    expect(found).toEqual([LikeTelegraf]);
    expect(Object.getOwnPropertyDescriptor(bot, 'webhookFilter')).toEqual({
      configurable: true,
      enumerable: true,
      writable: true,
      value: expect.any(Function),
    });
  });

  it('are all that is told of: any other object gets the property as ever', () => {
    const plain: Record<string, unknown> = {};
    plain['webhookFilter'] = 1;
    const copied = Object.assign({}, { webhookFilter: 2 });
    expect([plain, copied]).toEqual([{ webhookFilter: 1 }, { webhookFilter: 2 }]);
    const frozen: Record<string, unknown> = Object.freeze({});
    expect(() => {
      frozen['webhookFilter'] = 1;
    }).toThrow(TypeError);
    expect(found).toEqual([]);
  });

  it('cost objects nothing that shows, and are let alone at the end', () => {
    const seen: string[] = [];
    for (const name in {}) seen.push(name);
    expect(seen).toEqual([]);
    expect(Reflect.get({}, 'webhookFilter')).toBeUndefined();
    patches.undo();
    expect('webhookFilter' in Object.prototype).toBe(false);
    expect(new LikeTelegraf().webhookFilter()).toBe(true);
    expect(found).toEqual([]);
  });
});
