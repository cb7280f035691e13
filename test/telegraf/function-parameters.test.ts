import { describe, expect, it } from '@jest/globals';
import { kindOfFunction, parametersInWords } from '../../src/telegraf/function-parameters.js';

type AnyFunction = (...args: never[]) => unknown;

/** Functions as they come from a program's own source, which no compiler of the tests has touched. */
const from = (source: string): AnyFunction => new Function(`return ${source}`)();

describe('a function is, by its parameters,', () => {
  it.each([
    ['({ bot }) => {}', 'set-up'],
    ['async ({ bot: { telegram }, log = console }) => {}', 'set-up'],
    ['function ({ lifecycle, config } = {}) {}', 'set-up'],
    ['function (_a) { var bot = _a.bot; }', 'set-up'],
    ['context => context.bot.use()', 'set-up'],
    ['({ on(bot) {} }).on', 'unclear'],
    ['(context) => register(context)', 'unclear'],
    ['({ body }) => {}', 'unclear'],
    ['() => {}', 'main'],
    ['async function main() {}', 'main'],
    ['(function (a) {}).bind(null)', 'unclear'],
    ['(req) => new Response()', 'other'],
    ['async function handler(request) {}', 'other'],
    ['(req, res) => {}', 'other'],
    ['function app(q, r, next) {}', 'other'],
    ['async (req, res, next = () => {}) => {}', 'other'],
  ])('%s: %s', (source, kind) => {
    expect(kindOfFunction(from(source))).toBe(kind);
  });

  it('put into words', () => {
    expect(parametersInWords(from('async (req, res, next = () => f(1, 2)) => {}'))).toBe('(req, res, next)');
    expect(parametersInWords(from('({ a, b } = {}, c) => {}'))).toBe('({ a, b }, c)');
    expect(parametersInWords(from('() => {}'))).toBe('()');
  });
});
