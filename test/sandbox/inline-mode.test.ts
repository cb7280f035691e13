import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

const json = { 'content-type': 'application/json' };

/** A sandbox in which a person uses the bot's inline mode as the page does. */
async function openInlineSandbox() {
  const opened = await openTestSandbox();
  const { client, call } = opened;
  const act = async (name: string, fields: object) =>
    JSON.parse(
      (await client.send(`/sandbox/page/${name}`, { headers: json, body: JSON.stringify(fields) })).body,
    );
  const updates = async (): Promise<readonly Record<string, Record<string, unknown>>[]> =>
    (await call('getUpdates', { offset: 0 })).result;
  /** Asks, has the bot answer with these results, and sends the one with an id. */
  const send = async (results: readonly object[], result: string, chat = 1) => {
    const { query } = await act('inline', { chat, query: 'tea' });
    await call('answerInlineQuery', { inline_query_id: query, results });
    return act('choose', { chat, query, result });
  };
  return { ...opened, act, updates, send };
}

const article = (id: string, more: object = {}) => ({
  type: 'article',
  id,
  title: `Article ${id}`,
  input_message_content: { message_text: '<b>bold</b>', parse_mode: 'HTML' },
  ...more,
});
const keyboard = { inline_keyboard: [[{ text: 'More', callback_data: 'more' }]] };

describe('a person in inline mode', () => {
  it('asks, chooses, and the bot is told which', async () => {
    const { send, updates, sandbox } = await openInlineSandbox();
    await send([article('1'), article('2')], '2');
    expect(await updates()).toMatchObject([
      { inline_query: { query: 'tea', offset: '', chat_type: 'sender', from: { id: 1 } } },
      {
        message: {
          text: 'bold',
          entities: [{ type: 'bold', offset: 0, length: 4 }],
          from: { id: 1 },
          via_bot: { id: sandbox.id },
        },
      },
      { chosen_inline_result: { result_id: '2', query: 'tea', from: { id: 1 } } },
    ]);
    expect(JSON.stringify(await updates())).not.toContain('inline_message_id');
  });

  it('sends a message with a keyboard, which the bot knows by an id of its own, and edits by it', async () => {
    const { send, act, call, updates, sandbox } = await openInlineSandbox();
    await send([article('1', { reply_markup: keyboard })], '1');
    const [message] = sandbox.messages(1);
    await act('press', { chat: 1, message: message?.message.message_id, button: 'more' });
    const [, , chosen, pressed] = await updates();
    const id = chosen?.['chosen_inline_result']?.['inline_message_id'];
    expect(id).toEqual(expect.any(String));
    expect(pressed?.['callback_query']).toMatchObject({ inline_message_id: id, data: 'more' });
    expect(pressed?.['callback_query']).not.toHaveProperty('message');

    const edit = { inline_message_id: id, text: 'changed', reply_markup: keyboard };
    expect(await call('editMessageText', edit)).toMatchObject({ ok: true, result: true });
    expect(sandbox.messages(1)[0]?.message).toMatchObject({ text: 'changed', reply_markup: keyboard });
    expect((await call('editMessageText', edit)).description).toContain('message is not modified');
    expect((await call('editMessageCaption', { inline_message_id: id, caption: 'x' })).description).toContain(
      'there is no caption',
    );
    expect((await call('editMessageText', { inline_message_id: 'other', text: 'x' })).ok).toBe(false);
  });

  it.each([
    [
      { type: 'photo', photo_url: 'https://a.example/b.jpg', caption: 'seen' },
      { photo: [{}], caption: 'seen' },
    ],
    [{ type: 'gif', gif_url: 'https://a.example/b.gif' }, { animation: {} }],
    [{ type: 'voice', voice_file_id: 'f1', title: 'Voice' }, { voice: { file_id: 'f1' } }],
    [{ type: 'document', document_file_id: 'f2', title: 'File' }, { document: { file_id: 'f2' } }],
    [{ type: 'sticker', sticker_file_id: 'f3' }, { sticker: { file_id: 'f3' } }],
    [{ type: 'location', latitude: 1, longitude: 2, title: 'There' }, { location: { latitude: 1 } }],
    [
      { type: 'venue', latitude: 1, longitude: 2, title: 'Café', address: 'Street' },
      { venue: { title: 'Café', address: 'Street' } },
    ],
    [{ type: 'contact', phone_number: '1', first_name: 'Ada' }, { contact: { first_name: 'Ada' } }],
  ])('sends what the result is: %j', async (result, content) => {
    const { send, sandbox } = await openInlineSandbox();
    expect(await send([{ id: 'r', ...result }], 'r')).toHaveProperty('update');
    expect(sandbox.messages(1)[0]?.message).toMatchObject(content);
  });

  it('is told what is wrong', async () => {
    const { send, act, call } = await openInlineSandbox();
    expect(await act('choose', { chat: 1, query: '9', result: '1' })).toEqual({
      error: 'the bot has not answered this inline query',
    });
    expect(await send([article('1')], '2')).toEqual({ error: "the bot's answer has no result 2" });
    const bad = article('1', { input_message_content: { message_text: '<b>x', parse_mode: 'HTML' } });
    expect((await send([bad], '1')).error).toContain("can't parse entities");
    await call('getUpdates', { allowed_updates: ['message'] });
    expect(await act('inline', { chat: 1, query: '' })).toMatchObject({
      dropped: expect.stringContaining('inline_query'),
    });
  });
});
