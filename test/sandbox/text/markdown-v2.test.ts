/** The cases are those of Telegram's own tests, as far as they say what a bot sees. */
import { describe, expect, it } from '@jest/globals';
import { person } from '../../../src/sandbox/message.js';
import { parseMarkdownV2 } from '../../../src/sandbox/text/markdown-v2.js';

const parse = (source: string) => parseMarkdownV2(source, person);

/** Entities as `type offset length`. */
const brief = (source: string) => {
  const { text, entities } = parse(source);
  return [text, ...entities.map(({ type, offset, length }) => `${type} ${offset} ${length}`)];
};

describe('MarkdownV2', () => {
  it.each([...']()#+-=|{}.!'])('refuses a bare %s, and takes it with a backslash', (character) => {
    expect(() => parse(character)).toThrow(
      `Character '${character}' is reserved and must be escaped with the preceding '\\'`,
    );
    expect(brief(`\\${character}`)).toEqual([character]);
  });

  it.each([
    ['🏟 🏟_abacaba', "Can't find end of Italic entity at byte offset 9"],
    ['🏟 🏟_abac * asd ', "Can't find end of Bold entity at byte offset 15"],
    ['🏟 🏟_abac * asd _', "Can't find end of Italic entity at byte offset 21"],
    ['🏟 🏟`', "Can't find end of Code entity at byte offset 9"],
    ['🏟 🏟```a', "Can't find end of Pre entity at byte offset 9"],
    ['🏟 🏟```a ', "Can't find end of PreCode entity at byte offset 9"],
    ['🏟 🏟__🏟 🏟_', "Can't find end of Italic entity at byte offset 20"],
    ['🏟 🏟_🏟 🏟__', "Can't find end of Underline entity at byte offset 19"],
    ['🏟 🏟```🏟 🏟`', "Can't find end of Code entity at byte offset 21"],
    ['🏟 🏟```🏟 🏟\\`', "Can't find end of PreCode entity at byte offset 9"],
    ['[telegram\\.org](asd\\)', "Can't find end of a URL at byte offset 16"],
    ['🏟 🏟__🏟 _🏟___', "Can't find end of Italic entity at byte offset 23"],
    ['🏟 🏟||test\\|', "Can't find end of Spoiler entity at byte offset 9"],
    ['🏟 🏟>', "Character '>' is reserved and must be escaped with the preceding '\\'"],
    ['🏟 🏟![👍', "Can't find end of CustomEmoji entity at byte offset 9"],
    ['🏟 🏟![👍]', 'Custom emoji entity must contain a tg://emoji URL'],
    ['🏟 🏟![👍](tg://emoji?id=1234', "Can't find end of a custom emoji URL at byte offset 17"],
    ['🏟 🏟![👍](t://emoji?id=1234)', 'Custom emoji URL must have scheme tg'],
    ['🏟 🏟![👍](tg:emojis?id=1234)', 'Custom emoji URL must have host "emoji"'],
    ['🏟 🏟![👍](tg://emoji?test=1#&id=25)', 'Custom emoji URL must have an emoji identifier'],
    ['🏟 🏟![👍](tg://emoji?test=1231&id=025)', 'Invalid custom emoji identifier specified'],
    ['>*b\n>ld \n>bo\nld*\nasd\ndef', "Can't find end of Bold entity at byte offset 1"],
    ['>\n*a*>2', "Character '>' is reserved"],
    ['>asd\n>q||e||w||\n||asdad', "Can't find end of Spoiler entity at byte offset 16"],
    ['>asd\n>q||ew\n||asdad', "Can't find end of Spoiler entity at byte offset 7"],
    ['>asd\n>q||e||w__\n||asdad', "Can't find end of Underline entity at byte offset 13"],
  ])('refuses %j', (source, words) => {
    expect(() => parse(source)).toThrow(words);
  });

  it.each([
    ['\\\\\\\\\\_\\*\\`', ['\\\\_*`']],
    ['🏟 🏟``', ['🏟 🏟']],
    ['🏟 🏟_abac \\* asd _', ['🏟 🏟abac * asd ', 'italic 5 11']],
    ['➡️ ➡️_➡️ ➡️_*➡️ ➡️*', ['➡️ ➡️➡️ ➡️➡️ ➡️', 'italic 5 5', 'bold 10 5']],
    ['🏟 🏟_🏟 __🏟___', ['🏟 🏟🏟 🏟', 'italic 5 5', 'underline 8 2']],
    ['*a _b ~c~_*', ['a b c', 'bold 0 5', 'italic 2 3', 'strikethrough 4 1']],
    ['```js\nlet a;\n```', ['let a;\n', 'pre 0 7']],
    ['||hush||', ['hush', 'spoiler 0 4']],
    ['>one\n>two\nthree', ['one\ntwo\nthree', 'blockquote 0 8']],
    ['**>one\n>two||', ['one\ntwo', 'expandable_blockquote 0 7']],
  ])('parses %j', (source, expected) => {
    expect(brief(source)).toEqual(expected);
  });

  it('finds links, mentions of people, languages and custom emoji', () => {
    expect(parse('[x](telegram.org)').entities).toMatchObject([
      { type: 'text_link', url: 'http://telegram.org/' },
    ]);
    expect(parse('[x](tg://user?id=7)').entities).toMatchObject([{ type: 'text_mention', user: { id: 7 } }]);
    expect(parse('[x](nothing)').entities).toEqual([]);
    expect(parse('```js\na```').entities).toMatchObject([{ language: 'js' }]);
    expect(parse('![👍](tg://emoji?id=5)').entities).toMatchObject([{ custom_emoji_id: '5' }]);
  });
});
