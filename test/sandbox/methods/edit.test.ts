import { expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

it('edits a message, and refuses an edit without a change', async () => {
  const { call } = await openTestSandbox();
  await call('sendMessage', { chat_id: 1, text: 'one' });
  const edit = { chat_id: 1, message_id: 1, text: 'two' };
  expect((await call('editMessageText', edit)).result).toMatchObject({ message_id: 1, text: 'two' });
  expect((await call('editMessageText', edit)).description).toMatch(/^Bad Request: message is not modified/);
  const keyboard = { inline_keyboard: [[{ text: 'x', callback_data: 'y' }]] };
  expect(
    (await call('editMessageReplyMarkup', { ...edit, reply_markup: JSON.stringify(keyboard) })).result,
  ).toMatchObject({ text: 'two', reply_markup: keyboard });
});
