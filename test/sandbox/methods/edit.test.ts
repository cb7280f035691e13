import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

describe('an edit', () => {
  it('changes a message, and is refused without a change', async () => {
    const { call } = await openTestSandbox();
    await call('sendMessage', { chat_id: 1, text: 'one' });
    const edit = { chat_id: 1, message_id: 1, text: 'two' };
    expect((await call('editMessageText', edit)).result).toMatchObject({ message_id: 1, text: 'two' });
    expect((await call('editMessageText', edit)).description).toMatch(
      /^Bad Request: message is not modified/,
    );
    const keyboard = { inline_keyboard: [[{ text: 'x', callback_data: 'y' }]] };
    expect(
      (await call('editMessageReplyMarkup', { ...edit, reply_markup: JSON.stringify(keyboard) })).result,
    ).toMatchObject({ text: 'two', reply_markup: keyboard });
  });

  it('leaves nothing of the old text or caption', async () => {
    const { call } = await openTestSandbox();
    await call('sendMessage', { chat_id: 1, text: 'use /help now' });
    const { result } = await call('editMessageText', { chat_id: 1, message_id: 1, text: 'ok' });
    expect(result).not.toHaveProperty('entities');
    await call('sendPhoto', { chat_id: 1, photo: 'p', caption: 'look' });
    const bare = (await call('editMessageCaption', { chat_id: 1, message_id: 2 })).result;
    expect(bare).toMatchObject({ photo: [{ file_id: 'p' }] });
    expect(bare).not.toHaveProperty('caption');
  });
});

it.each([
  ['deleteMessage', { message_id: 99 }, 'message to delete not found'],
  ['deleteMessage', {}, 'message identifier is not specified'],
  ['editMessageText', { message_id: 1, text: 'x' }, "message can't be edited"],
  ['editMessageText', { message_id: 99, text: 'x' }, 'message to edit not found'],
  ['sendMessage', { text: 'x', reply_parameters: { message_id: 99 } }, 'message to be replied not found'],
  ['forwardMessage', { from_chat_id: 1, message_id: 99 }, 'message to forward not found'],
  ['copyMessage', { from_chat_id: 1, message_id: 99 }, 'message to copy not found'],
])(
  '%s of a message that is not there, or not the bot’s, is refused: %j',
  async (method, parameters, words) => {
    const { call, sandbox } = await openTestSandbox();
    sandbox.say({ text: 'mine', chat: 1 });
    expect(await call(method, { chat_id: 1, ...parameters })).toEqual({
      ok: false,
      error_code: 400,
      description: `Bad Request: ${words}`,
    });
  },
);

it('a reply to a message that is not there is sent if that is allowed', async () => {
  const { call } = await openTestSandbox();
  const reply_parameters = { message_id: 99, allow_sending_without_reply: true };
  const { result } = await call('sendMessage', { chat_id: 1, text: 'x', reply_parameters });
  expect(result).not.toHaveProperty('reply_to_message');
});
