import { describe, expect, it } from '@jest/globals';
import { tidied, tidiedToken } from '../../src/config/tidy.js';

const QUOTES = 'quotation marks around it';
const INVISIBLE = 'invisible characters';

describe('a value, tidied,', () => {
  it.each([
    [' plain \r\n', 'plain', []],
    ['"quoted"', 'quoted', [QUOTES]],
    ['„quoted“', 'quoted', [QUOTES]],
    [' "\u200b\'quoted\'" ', 'quoted', [QUOTES, INVISIBLE]],
    ['\uFEFFmarked', 'marked', [INVISIBLE]],
    ['\u00a0', '', [INVISIBLE]],
    ['""', '', [QUOTES]],
    ['""twice""', 'twice', [QUOTES]],
  ])('%j is %j', (text, tidy, removed) => {
    expect(tidied(text)).toEqual({ text: tidy, removed });
  });

  it.each(['"', '"open', 'open"', '"a","b"', '"a\'', '["a"]', 'a \u200d b', '/a b/"c"'])(
    'stays %j: what stands inside is left alone, and so are marks that are no pair',
    (text) => {
      expect(tidied(text)).toEqual({ text, removed: [] });
    },
  );
});

describe('a token, tidied,', () => {
  it.each([
    ['bot1:a', '1:a', ['"bot" before it']],
    ['1:a\u200bb', '1:ab', [INVISIBLE]],
    ['\u2060"bot1:\u200ba"', '1:a', [INVISIBLE, QUOTES, '"bot" before it']],
    ['bot:a', 'bot:a', []],
    ['1:a\n2:b', '1:a\n2:b', []],
  ])('%j is %j', (text, tidy, removed) => {
    expect(tidiedToken(text)).toEqual({ text: tidy, removed });
  });
});
