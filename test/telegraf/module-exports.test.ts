import { describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { describeExports, formOf } from '../../src/telegraf/module-exports.js';

const bot = new Telegraf('4711:a-token-of-the-module-tests');

function OldStyle() {}

describe('the form of a module', () => {
  it.each<[string, unknown]>([
    ['a function', OldStyle],
    ['an arrow function', () => {}],
    ['an async function', async () => {}],
    ['a method', { set() {} }.set],
    ['a bound function', OldStyle.bind(undefined)],
  ])('is a function: %s', (_, exported) => {
    for (const exports of [exported, { default: exported }, { default: { default: exported } }])
      expect(formOf(exports)?.form).toBe('function');
  });

  it('is a bot, exported or as default', () => {
    for (const exports of [bot, { default: bot }, { default: { default: bot } }])
      expect(formOf(exports)).toEqual({ form: 'instance', useWhen: 'settled', bot, orderKey: undefined });
  });

  it('has a rule of order, beside the default export, beside a function, or at the bot', () => {
    const orderKey = () => 'k';
    const withRule = (value: object) => Object.assign(value, { orderKey });
    for (const exports of [
      { default: () => {}, orderKey },
      { default: { default: () => {}, orderKey } },
      withRule(() => {}),
      { default: withRule(new Telegraf('4711:a-token-of-the-module-tests')) },
    ])
      expect(formOf(exports)).toMatchObject({ orderKey });
    expect(formOf({ default: () => {} })).toMatchObject({ orderKey: undefined });
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'nothing'],
    ['the Telegraf class', { default: Telegraf }, 'as default the Telegraf class, not an instance of it'],
    ['a class', { default: class {} }, 'as default a class, not a function'],
    ['a promise', { default: Promise.resolve(bot) }, 'as default a promise, not a bot'],
    ['other names', { a: 1, b: 2, __esModule: true }, 'no default, only a, b'],
    [
      'many names',
      { default: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 } },
      'as default an object with a, b, c, d, e, …',
    ],
  ])('is none: %s', (_, exports, words) => {
    expect(formOf(exports)).toBeUndefined();
    expect(describeExports(exports)).toBe(words);
  });
});
