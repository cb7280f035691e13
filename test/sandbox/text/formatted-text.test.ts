import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

async function send(parameters: object) {
  const { call } = await openTestSandbox();
  return call('sendMessage', { chat_id: 1, ...parameters });
}

describe('a text that a bot sends', () => {
  it('has the entities of its markup', async () => {
    const { result } = await send({ parse_mode: 'HTML', text: '<b>bold</b> and /help' });
    expect(result).toMatchObject({
      text: 'bold and /help',
      entities: [
        { type: 'bold', offset: 0, length: 4 },
        { type: 'bot_command', offset: 9, length: 5 },
      ],
    });
  });

  it('has the entities that the bot gives', async () => {
    const entities = [
      { type: 'bold', offset: 0, length: 4 },
      { type: 'mention', offset: 0, length: 4 },
    ];
    expect((await send({ text: 'bold', entities })).result).toMatchObject({
      entities: [{ type: 'bold', offset: 0, length: 4 }],
    });
    expect((await send({ text: 'bold', entities: JSON.stringify(entities) })).result).toMatchObject({
      entities: [{ type: 'bold' }],
    });
  });

  it('is trimmed, and its entities with it', async () => {
    const { result } = await send({ parse_mode: 'Markdown', text: '  *bold* \n' });
    expect(result).toMatchObject({ text: 'bold', entities: [{ type: 'bold', offset: 0, length: 4 }] });
  });

  it('has no entities inside of code', async () => {
    const { result } = await send({ parse_mode: 'MarkdownV2', text: '`/help @somebody` *x*' });
    expect(result).toMatchObject({
      entities: [
        { type: 'code', offset: 0, length: 15 },
        { type: 'bold', offset: 16, length: 1 },
      ],
    });
  });

  /** Resolves to the text, and to its entities in short. */
  async function brief(parameters: object): Promise<string[]> {
    const { text, entities = [] } = (await send(parameters)).result as {
      text: string;
      entities?: { type: string; offset: number; length: number }[];
    };
    return [text, ...entities.map(({ type, offset, length }) => `${type} ${offset} ${length}`)];
  }

  // By the rules of Telegram's own library, TDLib.
  it.each([
    ['<b>bold <code>c</code> x</b>', ['bold c x', 'bold 0 5', 'code 5 1', 'bold 6 2']],
    ['<b><code>c</code></b>', ['c', 'code 0 1']],
    ['<b>a<pre>b</pre></b><b>c</b>', ['abc', 'bold 0 1', 'pre 1 1', 'bold 2 1']],
    ['<b><b>x</b></b>', ['x', 'bold 0 1']],
    ['<b>a</b><b>b</b>', ['ab', 'bold 0 2']],
    ['<b>a</b><i>b</i>', ['ab', 'bold 0 1', 'italic 1 1']],
    ['<b>a<i>b</i>c</b>', ['abc', 'bold 0 1', 'bold 1 2', 'italic 1 1']],
    ['<a href="http://a.b">see <code>x</code></a>', ['see x', 'text_link 0 5']],
    ['<code>see <a href="http://a.b">x</a></code>', ['see x', 'code 0 5']],
    ['<b>a <a href="http://a.b">b</a> c</b>', ['a b c', 'bold 0 2', 'text_link 2 1', 'bold 2 1', 'bold 3 2']],
    ['<blockquote>a <code>b</code></blockquote>', ['a b', 'blockquote 0 3', 'code 2 1']],
    ['<code>a<blockquote>b</blockquote>c</code>', ['abc', 'blockquote 1 1']],
    ['<b>a @someone</b>', ['a @someone', 'bold 0 2', 'mention 2 8', 'bold 2 8']],
    [
      '<code>@someone</code> <a href="http://a.b">@someone</a>',
      ['@someone @someone', 'code 0 8', 'text_link 9 8'],
    ],
    ['a\r\n<b>b\r</b>\r<i>c</i>', ['a\nbc', 'bold 2 1', 'italic 3 1']],
    ['a<b>\r</b>b', ['ab']],
  ])('has its entities in order: %j', async (text, expected) => {
    expect(await brief({ parse_mode: 'HTML', text })).toEqual(expected);
  });

  it.each([
    [
      'abc',
      [
        ['pre', 1, 1],
        ['strikethrough', 0, 3],
      ],
      ['strikethrough 0 1', 'pre 1 1', 'strikethrough 2 1'],
    ],
    [
      'abcd',
      [
        ['bold', 0, 2],
        ['bold', 1, 3],
      ],
      ['bold 0 4'],
    ],
    [
      'abcd',
      [
        ['code', 0, 2],
        ['text_link', 1, 3],
      ],
      ['code 0 2'],
    ],
    [
      'abcd',
      [
        ['bold', 0, 3],
        ['italic', 1, 3],
      ],
      ['bold 0 1', 'italic 1 3', 'bold 1 2'],
    ],
  ] as const)('may be given entities that overlap: %s %j', async (text, given, expected) => {
    const entities = given.map(([type, offset, length]) => ({ type, offset, length, url: 'http://a.b' }));
    expect(await brief({ text, entities })).toEqual([text, ...expected]);
  });

  it('shows what Telegram finds by itself', async () => {
    const text = '/start@some_bot @ada #tag $USD ada@example.org https://example.org/a?b example.com.';
    const { entities } = (await send({ text })).result as {
      entities: { type: string; offset: number; length: number }[];
    };
    expect(entities.map(({ type, offset, length }) => [type, text.slice(offset, offset + length)])).toEqual([
      ['bot_command', '/start@some_bot'],
      ['mention', '@ada'],
      ['hashtag', '#tag'],
      ['cashtag', '$USD'],
      ['email', 'ada@example.org'],
      ['url', 'https://example.org/a?b'],
      ['url', 'example.com'],
    ]);
  });

  it.each([
    [{ text: '' }, 'message text is empty'],
    [{ text: ' \n' }, 'text must be non-empty'],
    [{ text: '<b></b>', parse_mode: 'HTML' }, 'text must be non-empty'],
    [{ text: 'x'.repeat(4_097) }, 'message is too long'],
    [{ text: 'x'.repeat(40_000) }, 'text is too long'],
    [{ text: 'x', parse_mode: 'Foo' }, 'unsupported parse_mode'],
    [
      { text: '1.5 (a_b', parse_mode: 'MarkdownV2' },
      "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    ],
    [
      { text: '*a', parse_mode: 'Markdown' },
      "can't parse entities: Can't find end of the entity starting at byte offset 0",
    ],
    [
      { text: '<b>a', parse_mode: 'html' },
      'can\'t parse entities: Can\'t find end tag corresponding to start tag "b"',
    ],
    [{ text: 'x', entities: [{ type: 'bold' }] }, 'can\'t parse MessageEntity: Can\'t find field "offset"'],
    [
      { text: 'x', entities: [{ type: 'huge', offset: 0, length: 1 }] },
      "can't parse MessageEntity: Unsupported type specified",
    ],
  ])('is refused: %j', async (parameters, words) => {
    expect(await send(parameters)).toEqual({
      ok: false,
      error_code: 400,
      description: `Bad Request: ${words}`,
    });
  });

  it.each([
    ['a _b_ `c` *d*', ['a b c d', 'italic 2 1', 'code 4 1', 'bold 6 1']],
    ['[x](http://example.org) \\*', ['x *', 'text_link 0 1']],
    ['```js\nlet a```', ['let a', 'pre 0 5']],
  ])('may be of the old Markdown: %j', async (text, expected) => {
    expect(await brief({ parse_mode: 'Markdown', text })).toEqual(expected);
  });
});

it('refuses a caption that is too long', async () => {
  const { call } = await openTestSandbox();
  const photo = { chat_id: 1, photo: 'x', caption: 'x'.repeat(1_025) };
  expect((await call('sendPhoto', photo)).description).toBe('Bad Request: message caption is too long');
});
