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

it('a reply to a message that is not there is sent if that is allowed', async () => {
  const { call } = await openTestSandbox();
  const reply_parameters = { message_id: 99, allow_sending_without_reply: true };
  const { result } = await call('sendMessage', { chat_id: 1, text: 'x', reply_parameters });
  expect(result).not.toHaveProperty('reply_to_message');
});
