import { describe, expect, it } from '@jest/globals';
import { inboxSetting, passwordsIn } from '../../src/config/inbox-setting.js';

const parse = (text: string) => inboxSetting.parse(text, '/srv/bot');

describe('INBOX', () => {
  it.each(['journal', 'memory'])('takes the word %s', (word) => {
    expect(parse(word.toUpperCase())).toEqual({ value: word });
  });

  it.each([
    ['postgres://bot:secret@localhost/bots', 'postgres://bot:secret@localhost/bots'],
    ['postgresql://127.0.0.1:5433/bots', 'postgres://127.0.0.1:5433/bots'],
    ['postgres:///bots?host=/run/postgresql&user=bot', 'postgres:///bots?host=/run/postgresql&user=bot'],
    ['postgres://db.example/bots?sslmode=verify-full', 'postgres://db.example/bots?sslmode=verify-full'],
  ])('takes the URL %s', (text, value) => {
    expect(parse(text)).toEqual({ value });
  });

  it.each([
    ['postgres:bots', '"//" is missing'],
    ['postgres://bot:secret@host:x/bots', 'is the port a number'],
    ['postgres://bot:p@ss/word@host/bots', 'percent-encoded'],
    ['postgres://bot:12?3@host/bots', 'percent-encoded'],
    ['postgres://bot:secret@host/bots#x', 'written as %23'],
    ['postgres://bot:100%@host/bots', 'written as %25'],
    ['postgres://a,b/bots', 'several hosts'],
    ['postgres://bot:secret@host', 'the database is missing'],
    ['postgres://bot:secret@host/bots/x', 'more than a database'],
    ['postgres://host/bots?sslmode=verify', 'sslmode is not one of'],
  ])('says what is wrong with %s', (text, words) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ isOurs: true, problem: expect.stringContaining(words) });
  });

  it('leaves other words to the bot program', () => {
    expect(parse('imap://host')).toEqual({ problem: expect.stringContaining('journal, memory, or a URL') });
  });

  it.each([
    ['postgres://db.example/bots', 'not encrypted'],
    ['postgres://db.example/bots?sslmode=disable', 'not encrypted'],
    ['postgres://db.example/bots?sslmode=no-verify', 'to anybody who answers'],
    ['postgres://localhost/bots?sslmod=require', 'did you mean "sslmode"'],
  ])('doubts %s', (text, words) => {
    expect(parse(text)).toMatchObject({ doubt: expect.stringContaining(words) });
  });

  it.each([
    ['journal', 'journal'],
    ['postgres://bot@host/bots', 'postgres://bot@host/bots'],
    ['postgres://bot:secret@host/bots', 'postgres://bot:***@host/bots'],
    ['postgres://host/bots?password=secret', 'postgres://host/bots?password=***'],
    ['postgres://host/bots?passwd=secret', 'postgres://host/bots?passwd=***'],
    ['postgres://host/bots?password=sec&ret', 'postgres://host/bots?password=***'],
    [
      'postgres://host/bots?pasword=sec&ret=it&sslmode=disable',
      'postgres://host/bots?pasword=***&sslmode=disable',
    ],
    ['postgres://bot:sec/ret@host:x/bots', 'postgres://***'],
    ['postgres://bot:p@ss/word@host/bots', 'postgres://***'],
    ['postgres://bot:12?3@host/bots', 'postgres://***'],
  ])('conceals the password of %s', (text, shown) => {
    expect(inboxSetting.conceal?.(text)).toBe(shown);
  });

  it.each(['postgres://localhost/bots?password=sec&ret', 'postgres://localhost/bots?pasword=sec&ret=it'])(
    'names no part of the password of %s',
    (text) => {
      const parsed = parse(text);
      expect(parsed).toMatchObject({ doubt: expect.stringContaining('%26') });
      expect('doubt' in parsed && parsed.doubt).not.toMatch(/"ret/);
    },
  );

  it('knows its password in each spelling', () => {
    expect(passwordsIn('postgres://bot:s%40cret@host/bots')).toEqual(['s%40cret', 's@cret']);
    expect(passwordsIn('postgres://host/bots?password=s%40cret')).toEqual(['s%40cret', 's@cret']);
    expect(passwordsIn('journal')).toEqual([]);
  });
});
