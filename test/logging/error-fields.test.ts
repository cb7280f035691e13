import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LastcallError } from '../../src/errors.js';
import { errorFields, errorFieldsOrValue, errorText } from '../../src/logging/error-fields.js';
import { anyValue } from './any-value.js';

describe('the fields of an error', () => {
  it('are its type, its message, its stack and its own figures', () => {
    const error = Object.assign(new TypeError('no'), { code: 'E_NO', errno: -1, fatal: true });
    expect(errorFields(error)).toEqual({
      type: 'TypeError',
      message: 'no',
      code: 'E_NO',
      errno: -1,
      fatal: true,
      stack: expect.stringContaining('error-fields.test'),
    });
  });

  it('of one of ours say what to make of it', () => {
    expect(errorFields(new LastcallError('HOOK_FAILED', 'database', 'no'))).toMatchObject({
      type: 'LastcallError',
      code: 'HOOK_FAILED',
      culprit: 'database',
      likelyCause: expect.any(String),
      nextStep: expect.any(String),
    });
  });

  it('follow causes and the errors of an AggregateError', () => {
    const error = new AggregateError([new Error('a'), 'b'], 'all', {
      cause: new RangeError('c', { cause: 'd' }),
    });
    expect(errorFields(error)).toMatchObject({
      type: 'AggregateError',
      cause: { type: 'RangeError', message: 'c', cause: { type: 'string', message: 'd' } },
      errors: [
        { type: 'Error', message: 'a' },
        { type: 'string', message: 'b' },
      ],
    });
  });

  it('come to an end', () => {
    const circular = new Error('circular');
    circular.cause = circular;
    expect(errorFields(circular).cause).toMatchObject({ type: 'circular' });
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 100; depth++) deep = new Error(`${depth}`, { cause: deep });
    expect(JSON.stringify(errorFields(deep)).length).toBeLessThan(20_000);
    const wide = new AggregateError(Array.from({ length: 1_000 }, (_, index) => new Error(`${index}`)));
    expect(errorFields(wide).errors).toHaveLength(10);
    let nested: unknown = 'bottom';
    for (let depth = 0; depth < 8; depth++) nested = new AggregateError(Array(10).fill(nested));
    expect(JSON.stringify(errorFields(nested)).length).toBeLessThan(200_000);
  });

  it("leave out the requests that Telegraf's errors carry, but for their method", () => {
    const error = Object.assign(new Error('400: Bad Request'), {
      response: { ok: false, error_code: 400 },
      on: { method: 'sendMessage', payload: { chat_id: 1, text: 'between you and me' } },
    });
    const fields = errorFields(error);
    expect(fields.method).toBe('sendMessage');
    expect(JSON.stringify(fields)).not.toContain('between you and me');
  });

  it('know an error of another realm, and the name of its class', () => {
    const foreign: unknown = runInNewContext('new RangeError("far")');
    expect(errorFields(foreign)).toMatchObject({ type: 'RangeError', message: 'far' });
    class OddError extends Error {}
    expect(errorFields(new OddError('x')).type).toBe('OddError');
    expect(errorFields(new DOMException('gone', 'AbortError')).type).toBe('AbortError');
  });

  it.each([
    [undefined, 'undefined', 'undefined'],
    [null, 'object', 'null'],
    ['text', 'string', 'text'],
    [7n, 'bigint', '7'],
    [Symbol('s'), 'symbol', 'Symbol(s)'],
    [{ a: 1 }, 'object', '{"a":1}'],
    [{ amount: 7n }, 'object', '{"amount":"7"}'],
  ])('tell what was thrown when it is no error: %p', (thrown, type, message) => {
    expect(errorFields(thrown)).toEqual({ type, message });
  });

  it('never throw, not even for what throws when it is looked at', () => {
    const hostile = new Error('x');
    for (const name of ['stack', 'message', 'cause', 'name', 'errors', 'own'])
      Object.defineProperty(hostile, name, {
        enumerable: true,
        get: () => {
          throw new Error('looked');
        },
      });
    expect(errorFields(hostile).message).toBe('[unreadable]');
    const looked = () => {
      throw new Error('looked');
    };
    const traps = { get: looked, getPrototypeOf: looked, ownKeys: looked };
    expect(errorFields(new Proxy({}, traps))).toMatchObject({ type: 'object' });
    const { get: _get, ...others } = traps;
    expect(errorFields(new Proxy(new Error('inside'), others))).toMatchObject({ message: 'inside' });
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    for (const part of ['cause', 'errors', 'on', 'constructor'])
      expect(errorFields(Object.assign(new Error('x'), { [part]: proxy })).message).toBe('x');
    expect(errorFields(Object.setPrototypeOf(new Error('x'), new Proxy({}, traps))).message).toBe('x');
  });

  it('never throw, for any value that is thrown, caused, or a property', () => {
    fc.assert(
      fc.property(anyValue, (make) => {
        const value = make();
        const error = Object.assign(new Error('x'), { cause: value, errors: [value], own: value });
        for (const thrown of [value, error]) {
          const fields = errorFields(thrown);
          expect(typeof fields.type).toBe('string');
          expect(typeof fields.message).toBe('string');
          expect(typeof JSON.stringify(fields)).toBe('string');
          expect(typeof errorText(thrown)).toBe('string');
        }
      }),
    );
  });

  it('are only for errors, where other values are possible', () => {
    expect(errorFieldsOrValue('text')).toBe('text');
    expect(errorFieldsOrValue(new Error('x'))).toMatchObject({ message: 'x' });
  });
});
