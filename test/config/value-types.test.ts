import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  age,
  choice,
  duration,
  integer,
  path,
  rootUrl,
  token,
  updateKinds,
  type ValueType,
  yesNo,
} from '../../src/config/value-types.js';

const cwd = '/srv/bot';
const parse = <T>(type: ValueType<T>, text: string) => type.parse(text, cwd);
const problemOf = <T>(type: ValueType<T>, text: string) => {
  const parsed = parse(type, text);
  return 'problem' in parsed ? parsed.problem : undefined;
};

describe('a duration', () => {
  const any = duration({ leastMs: 0 });

  it.each([
    ['500ms', 500],
    ['0s', 0],
    ['30s', 30_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ])('reads %s', (text, value) => {
    expect(parse(any, text)).toEqual({ value });
  });

  it.each(['30', '0'])('says of %s that the unit is missing', (text) => {
    expect(problemOf(any, text)).toContain('the unit is missing');
  });

  it.each(['', 's', '-1s', '1.5s', '30 s', '1m30s', '1d', '30sec', '30S', '5toString', '1e3s'])(
    'refuses "%s"',
    (text) => {
      expect(problemOf(any, text)).toContain('a duration with its unit, such as 500ms, 30s, 2m or 1h');
    },
  );

  it('keeps to its limits and steps, and names them', () => {
    const seconds = duration({ leastMs: 1_000, mostMs: 50_000, stepMs: 1_000 });
    expect(parse(seconds, '1s')).toEqual({ value: 1_000 });
    expect(parse(seconds, '50s')).toEqual({ value: 50_000 });
    for (const text of ['999ms', '0s', '51s', '1500ms'])
      expect(problemOf(seconds, text)).toContain('from 1s to 50s in steps of 1s');
  });

  it('refuses what a timer cannot wait for', () => {
    expect(parse(any, '576h')).toEqual({ value: 2_073_600_000 });
    for (const text of ['577h', '99999999999999999999999h'])
      expect(problemOf(any, text)).toContain('longer than 576h');
  });

  it.each([
    [0, '0s'],
    [1_500, '1500ms'],
    [60_000, '60s'],
    [90_000, '90s'],
    [120_000, '2m'],
    [3_600_000, '60m'],
    [7_200_000, '2h'],
  ])('prints %d ms as people write it', (ms, text) => {
    expect(any.print(ms)).toBe(text);
  });
});

describe('an age', () => {
  it('may be longer than a timer can wait, in days', () => {
    expect(parse(age, '30d')).toEqual({ value: 2_592_000_000 });
    expect(parse(age, '12h')).toEqual({ value: 43_200_000 });
    expect(parse(age, '3650d')).toEqual({ value: 315_360_000_000 });
    for (const text of ['30', '1.5d', '0s', '999ms', '3651d', '1w', '999999999999d'])
      expect(problemOf(age, text)).toContain('such as 12h or 30d, from 1s to 3650d');
    for (const [text, ms] of [
      ['30d', 2_592_000_000],
      ['36h', 129_600_000],
      ['90s', 90_000],
    ] as const)
      expect(age.print(ms)).toBe(text);
  });
});

describe('an integer', () => {
  it('keeps to its limits', () => {
    const type = integer({ least: 1 });
    expect(parse(type, '1')).toEqual({ value: 1 });
    expect(parse(type, '10')).toEqual({ value: 10 });
    for (const text of ['0', '-1', '1.5', '1e1', '0x5', 'many', '٣', '99999999999999999'])
      expect(problemOf(type, text)).toBe('expected a whole number of at least 1');
  });
});

describe('yes or no', () => {
  it('takes the words that people use, in any case', () => {
    for (const text of ['yes', 'true', 'on', '1', 'YES', 'True'])
      expect(parse(yesNo, text)).toEqual({ value: true });
    for (const text of ['no', 'false', 'off', '0', 'NO'])
      expect(parse(yesNo, text)).toEqual({ value: false });
    for (const text of ['y', 'maybe', '2']) expect(problemOf(yesNo, text)).toBe('expected yes or no');
  });
});

describe('a choice', () => {
  it('takes its words in any case', () => {
    const type = choice(['wait', 'exit']);
    expect(parse(type, 'EXIT')).toEqual({ value: 'exit' });
    expect(problemOf(type, 'stay')).toBe('expected one of wait, exit');
  });
});

describe('a URL', () => {
  it('takes the root of a server, without a slash, or with a path that ends in one', () => {
    expect(parse(rootUrl, 'https://api.telegram.org')).toEqual({ value: 'https://api.telegram.org' });
    expect(parse(rootUrl, 'http://127.0.0.1:8081/')).toEqual({ value: 'http://127.0.0.1:8081' });
    expect(parse(rootUrl, 'HTTPS://Example.org/tg/')).toEqual({ value: 'https://example.org/tg/' });
    expect(parse(rootUrl, 'https://example.org/tg')).toEqual({ value: 'https://example.org/tg/' });
  });

  it.each(['http://localhost:8081', 'http://127.0.0.2', 'http://[::1]:8081', 'https://192.0.2.1'])(
    'takes %s without a doubt',
    (text) => {
      expect(parse(rootUrl, text)).not.toHaveProperty('doubt');
    },
  );

  it('doubts http beyond loopback, since the token travels in it', () => {
    expect(parse(rootUrl, 'http://192.0.2.1:8081')).toMatchObject({
      value: 'http://192.0.2.1:8081',
      doubt: expect.stringContaining('unencrypted'),
    });
  });

  it.each([
    ['api.telegram.org', 'expected a URL'],
    ['ftp://example.org', 'expected a URL'],
    ['http://', 'expected a URL'],
    ['https://me:secret@example.org', 'a user name or a password'],
    ['https://me:1/secret@example.org', 'a user name or a password'],
    ['me:secret@example.org', 'a user name or a password'],
    ['https://example.org/?a=1', '"?" or "#"'],
    ['https://example.org/bot123:abc', 'a bot token'],
    ['https://example.org/bot123%3Aabc', 'a bot token'],
  ])('refuses %s', (text, why) => {
    expect(problemOf(rootUrl, text)).toContain(why);
  });
});

describe('a path', () => {
  it('starts at the working directory', () => {
    expect(parse(path, './bot.js')).toEqual({ value: '/srv/bot/bot.js' });
    expect(parse(path, '../x')).toEqual({ value: '/srv/x' });
    expect(parse(path, '/etc/token')).toEqual({ value: '/etc/token' });
    expect(parse(path, 'a~b')).toEqual({ value: '/srv/bot/a~b' });
  });

  it('refuses what only a shell understands', () => {
    expect(problemOf(path, '~/bot.js')).toContain('only a shell expands "~"');
    expect(problemOf(path, '~')).toContain('only a shell expands "~"');
    expect(problemOf(path, 'a\0b')).toContain('expected a path');
  });
});

describe('a token', () => {
  it("takes Telegram's, and what other servers hand out", () => {
    for (const text of ['123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw_', '1:a', '42:TEST-token'])
      expect(parse(token, text)).toEqual({ value: text });
  });

  it.each(['', 'your-token', '123456789', '123456789:', ':abc', 'bot1:abc', '1:a b', '"1:abc"', '<1:abc>'])(
    'refuses "%s" without repeating it',
    (text) => {
      const problem = problemOf(token, text);
      expect(problem).toContain('expected a token as @BotFather gives it');
      if (text.length > 10) expect(problem).not.toContain(text);
    },
  );
});

describe('kinds of updates', () => {
  it('come separated by commas or as a JSON array', () => {
    const value = ['message', 'callback_query'];
    expect(parse(updateKinds, 'message,callback_query')).toEqual({ value });
    expect(parse(updateKinds, ' message , callback_query, message')).toEqual({ value });
    expect(parse(updateKinds, '["message", "callback_query"]')).toEqual({ value });
    expect(parse(updateKinds, '[]')).toEqual({ value: [] });
  });

  it.each([
    '["message"',
    '[1]',
    '{"a":1}',
    'message callback_query',
    'message,,poll',
    ',',
    '["Message"]',
    '[[]]',
  ])('refuses %s', (text) => {
    expect(problemOf(updateKinds, text)).toContain('expected kinds of updates');
  });

  it('take a kind that they do not know, and doubt it', () => {
    expect(parse(updateKinds, 'mesage,brand_new')).toEqual({
      value: ['mesage', 'brand_new'],
      doubt: 'lastcall does not know "mesage" (did you mean "message"?), "brand_new"',
    });
  });
});

/** For each type, a check with any value of it. */
const types: readonly fc.Arbitrary<() => void>[] = [
  roundTrip(duration({ leastMs: 0 }), fc.integer({ min: 0, max: 2_073_600_000 })),
  roundTrip(integer({ least: 0 }), fc.nat()),
  roundTrip(yesNo, fc.boolean()),
  roundTrip(choice(['a', 'b', 'c']), fc.constantFrom('a' as const, 'b' as const, 'c' as const)),
  roundTrip(
    path,
    fc.stringMatching(/^\/[a-z0-9 ~.]{1,20}$/).map((text) => resolve(text)),
  ),
  roundTrip(
    rootUrl,
    fc.webUrl({ withQueryParameters: false }).map((url) => normalized(url.replaceAll('@', '%40'))),
  ),
  roundTrip(token, fc.stringMatching(/^\d{1,12}:[\w-]{1,40}$/)),
  roundTrip(updateKinds, fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,20}$/))),
];

function roundTrip<T>(type: ValueType<T>, values: fc.Arbitrary<T>): fc.Arbitrary<() => void> {
  return values.map((value) => () => expect(parse(type, type.print(value))).toMatchObject({ value }));
}

function normalized(url: string): string {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, '');
  return path === '' ? origin : `${origin}${path}/`;
}

describe('every type', () => {
  it('reads what it prints', () => {
    fc.assert(
      fc.property(fc.oneof(...types), (check) => check()),
      { numRuns: 500 },
    );
  });

  it('reads any text, or says what it expects', () => {
    const every = [duration({ leastMs: 5 }), integer({ least: 1 }), yesNo, rootUrl, path, token, updateKinds];
    fc.assert(
      fc.property(
        fc.constantFrom(...every),
        fc.oneof(fc.string({ unit: 'binary' }), fc.json()),
        (type, text) => {
          const parsed = type.parse(text.trim(), cwd);
          if ('problem' in parsed) expect(parsed.problem.length).toBeGreaterThan(5);
          else expect(parsed.value).toBeDefined();
        },
      ),
    );
  });
});
