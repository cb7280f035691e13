import { describe, expect, it } from '@jest/globals';
import { createDetailRedactor } from '../../../src/telegraf/bot-api/redact-detail.js';

describe('a detail for the log', () => {
  const redact = createDetailRedactor('123:a/b');

  it.each([
    ['the token', 'Bad token 123:a/b, 123:a/b', 'Bad token <token>, <token>'],
    ['the token of a path', '/bot123%3Aa%2Fb/getMe', '/bot<token>/getMe'],
    ['what a URL says beyond its host', 'to https://api.test:8443/x?y=z.', 'to https://api.test:8443/…'],
    ['the user of a URL', '<a href="http://user:pass@proxy.test/x">', '<a href="http://proxy.test/…">'],
    ['a password with an @', 'by http://user:p@ss@proxy.test:1', 'by http://proxy.test:1/…'],
  ])('does not hold %s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it('does not hold the secret part of the token, however the rest is written', () => {
    const secret = 'AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc';
    expect(createDetailRedactor(`123:${secret}`)(`to /bot123%3a${secret}/getMe`)).toBe(
      'to /bot123%3a<token>/getMe',
    );
  });

  it('is cut between words where it is long,', () => {
    const secret = 'AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc';
    const text = `${'a'.repeat(1_980)} ${secret} ${'b'.repeat(1_000_000)}`;
    expect(createDetailRedactor(`123:${secret}`)(text)).toBe(`${'a'.repeat(1_980)} …`);
  });

  it('is left alone where there is no token', () => {
    expect(createDetailRedactor('')('no token')).toBe('no token');
  });
});
