/** The cases are those of Telegram's own tests, as far as they say what a bot sees. */
import { describe, expect, it } from '@jest/globals';
import { person } from '../../../src/sandbox/message.js';
import { parseHtml } from '../../../src/sandbox/text/html.js';

const parse = (source: string) => parseHtml(source, person);

/** Entities as `type offset length`. */
const brief = (source: string) => {
  const { text, entities } = parse(source);
  return [text, ...entities.map(({ type, offset, length }) => `${type} ${offset} ${length}`)];
};

describe('HTML', () => {
  it.each([
    ['&#57311;', 'Text contains invalid Unicode characters after decoding HTML entities'],
    ['🏟 🏟&lt;<abacaba', 'Unclosed start tag at byte offset 13'],
    ['🏟 🏟&lt;<abac aba>', 'Unsupported start tag "abac" at byte offset 13'],
    ['🏟 🏟&lt;<i   =aba>', 'Empty attribute name in the tag "i" at byte offset 13'],
    ['🏟 🏟&lt;<i    aba>', 'Can\'t find end tag corresponding to start tag "i"'],
    ['🏟 🏟&lt;<i    aba  =  ', 'Unclosed start tag "i" at byte offset 13'],
    ['🏟 🏟&lt;<i    aba  =  190azAz-.,', 'Unexpected end of name token at byte offset 27'],
    ['🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', 'Unclosed start tag at byte offset 13'],
    ['🏟 🏟&lt;</', 'Unexpected end tag at byte offset 13'],
    ['🏟 🏟&lt;<b></b></', 'Unexpected end tag at byte offset 20'],
    ['🏟 🏟&lt;<i>a</i   ', 'Unclosed end tag at byte offset 17'],
    ['🏟 🏟&lt;<i>a</em   >', 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'],
    ['<span>a</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'],
    ['<br>', 'Unsupported start tag "br" at byte offset 0'],
    ['<tg-emoji>a</tg-emoji>', 'Invalid custom emoji identifier specified'],
  ])('refuses %j', (source, words) => {
    expect(() => parse(source)).toThrow(words);
  });

  it.each([
    ['&ge;&lt;&gt;&amp;&quot;&laquo;&raquo;&#12345678;', ['&ge;<>&"&laquo;&raquo;&#12345678;']],
    ['➡️ ➡️<em>➡️ ➡️</em>', ['➡️ ➡️➡️ ➡️', 'italic 5 5']],
    ['➡️ ➡️<i>➡️ ➡️</i><b>➡️ ➡️</b>', ['➡️ ➡️➡️ ➡️➡️ ➡️', 'italic 5 5', 'bold 10 5']],
    ['🏟 🏟<i>🏟 &lt🏟</i>', ['🏟 🏟🏟 <🏟', 'italic 5 6']],
    ['🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>', ['🏟 🏟🏟 ><🏟', 'italic 5 7', 'bold 9 3']],
    ["🏟 🏟&lt;<i    aba  =  '&lt;&gt;&quot;'>a</>", ['🏟 🏟<a', 'italic 6 1']],
    ['🏟 🏟&lt;<b></b>', ['🏟 🏟<']],
    ['<span class = "tg-spoiler">a</span>', ['a', 'spoiler 0 1']],
    ['<code><i><b> </b></i></code>', [' ', 'code 0 1', 'bold 0 1', 'italic 0 1']],
    [
      '<u>a</u><s>b</s><del>c</del><tg-spoiler>d</tg-spoiler>',
      ['abcd', 'underline 0 1', 'strikethrough 1 1', 'strikethrough 2 1', 'spoiler 3 1'],
    ],
    ['🏟 🏟&lt;<pre><code>🏟 🏟&lt;</code></>', ['🏟 🏟<🏟 🏟<', 'pre 6 6', 'code 6 6']],
    ['<blockquote   expandable>a&lt;<pre  >b;</></>', ['a<b;', 'expandable_blockquote 0 4', 'pre 2 2']],
  ])('parses %j', (source, expected) => {
    expect(brief(source)).toEqual(expected);
  });

  it('finds links, people, languages and custom emoji', () => {
    expect(parse("<a   href=  'telegram.org?&lt;'   > </a>").entities).toMatchObject([
      { type: 'text_link', url: expect.stringContaining('http://telegram.org/?') },
    ]);
    expect(parse('<a>telegram.org</a>').entities).toMatchObject([{ url: 'http://telegram.org/' }]);
    expect(parse('<a>telegram</a>').entities).toEqual([]);
    expect(parse('<a href="tg://user?id=7">x</a>').entities).toMatchObject([{ user: { id: 7 } }]);
    for (const block of [
      '<pre><code class="language-fift">a</code></pre>',
      '<code class="language-fift"><pre>a</pre></code>',
    ])
      expect(parse(block).entities).toEqual([{ type: 'pre', offset: 0, length: 1, language: 'fift' }]);
    expect(parse('<code class="language-fift">a</code>').entities).toEqual([
      { type: 'code', offset: 0, length: 1 },
    ]);
    expect(parse('<tg-emoji emoji-id="5">a</tg-emoji>').entities).toMatchObject([{ custom_emoji_id: '5' }]);
  });
});
