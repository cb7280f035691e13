import { describe, expect, it } from '@jest/globals';
import { everyFailure } from '../../src/sandbox/fault-rule.js';
import { faultHelp, parseFaultRule } from '../../src/sandbox/fault-rule-parser.js';

describe('a fault rule', () => {
  it.each([
    { kind: 'reset' },
    { kind: 'latency', ms: 5, method: ['getme', 'getUpdates'], times: 0, fraction: 0.5 },
    { kind: 'error', status: 500, description: 'Internal Server Error', bot: 7 },
    { kind: 'assorted', of: everyFailure, after: 3 },
    { kind: 'assorted' },
    { kind: 'refuse', forMs: 20 },
    { kind: 'rival', confirms: true, bot: 7_000_000_000, forMs: 5 },
  ])('is accepted: %j', (rule) => {
    expect(parseFaultRule(rule)).toBe(rule);
  });

  it.each([
    ['reset', 'a fault must be an object with a kind'],
    [{}, 'kind is missing; it must be one of latency, too-many-requests, error, html, reset, half-open,'],
    [{ kind: 'lag' }, 'there is no kind "lag"; it must be one of latency'],
    [{ kind: 'toString' }, 'there is no kind "toString"'],
    [{ kind: 'latency' }, 'latency needs ms: a number of milliseconds, from 0'],
    [{ kind: 'latency', ms: '300' }, 'ms must be a number of milliseconds, from 0, not "300"'],
    [{ kind: 'latency', ms: 1e12 }, 'ms must be a number of milliseconds'],
    [
      { kind: 'html', status: 99 },
      'status must be a whole number from 200 to 599, but not 204, 205 or 304, not 99',
    ],
    [{ kind: 'html', status: 200.5 }, 'status must be a whole number'],
    [{ kind: 'html', status: 304 }, 'not 304'],
    [{ kind: 'error', status: 200 }, 'status must be a whole number from 400 to 599, not 200'],
    [{ kind: 'too-many-requests', retryAfterSeconds: 1.5 }, 'retryAfterSeconds must be a whole number'],
    [
      { kind: 'reset', method: 'getMee' },
      'method must be the name of a Bot API method, or a list of such names',
    ],
    [{ kind: 'reset', method: [] }, 'method must be'],
    [
      { kind: 'reset', forMS: 5 },
      'reset has no field forMS; it has method, bot, after, times, fraction, forMs',
    ],
    [{ kind: 'reset', toString: 1 }, 'reset has no field toString'],
    [{ kind: 'reset', fraction: 20 }, 'fraction must be a number from 0 to 1, not 20'],
    [{ kind: 'reset', times: 0.5 }, 'times must be a whole number'],
    [{ kind: 'rival', method: 'getMe' }, 'rival has no field method; it has confirms, bot, forMs'],
    [{ kind: 'refuse', times: 1 }, 'refuse has no field times; it has forMs'],
    [{ kind: 'assorted', of: [] }, 'of must be a list of at least one fault'],
    [{ kind: 'assorted', of: [{ kind: 'reset' }, { kind: 'html' }] }, 'of[1]: html needs status'],
    [{ kind: 'assorted', of: [{ kind: 'assorted' }] }, 'of[0]: there is no kind "assorted"'],
  ])('is refused with the reason: %j', (rule, words) => {
    expect(() => parseFaultRule(rule)).toThrow(RangeError);
    expect(() => parseFaultRule(rule)).toThrow(words);
  });

  it('has a help that names every kind', () => {
    for (const { kind } of everyFailure) expect(faultHelp()).toContain(kind);
    expect(faultHelp()).toMatch(/^ {2}rival +confirms\? /m);
  });
});
