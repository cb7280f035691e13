import { describe, expect, it } from '@jest/globals';
import { createDetailRedactor } from '../../../src/telegraf/bot-api/redact-detail.js';

describe('a detail for the log', () => {
  const redact = createDetailRedactor('123:a/b');

  it.each([
    ['the token', 'Bad token 123:a/b, 123:a/b', 'Bad token <token>, <token>'],
    ['the token of a path', '/bot123%3Aa%2Fb/getMe', '/bot<token>/getMe'],
    ['what a URL says beyond its host', 'to https://api.test:8443/x?y=z.', 'to https://api.test:8443/…'],
    ['the user of a URL', '<a href="http://user:pass@proxy.test/x">', '<a href="http://proxy.test/…">'],
  ])('does not hold %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('is left alone where there is no token', () => {
    expect(createDetailRedactor('')('no token')).toBe('no token');
  });
});
