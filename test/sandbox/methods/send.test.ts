import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

describe('sending', () => {
  it('returns the message with its id and the message it replies to', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.say({ chat: -5, text: '/start now' });
    const [update] = (await call('getUpdates')).result as { message: { message_id: number } }[];
    expect(update).toMatchObject({
      message: {
        chat: { id: -5, type: 'group' },
        text: '/start now',
        entities: [{ type: 'bot_command', offset: 0, length: 6 }],
      },
    });
    const messageId = update?.message.message_id;
    const answer = await call('sendMessage', {
      chat_id: -5,
      text: 'hello',
      reply_parameters: { message_id: messageId },
    });
    expect(answer.result).toMatchObject({
      message_id: 2,
      from: { is_bot: true },
      chat: { id: -5 },
      text: 'hello',
      reply_to_message: { message_id: messageId, text: '/start now' },
    });
  });

  it.each([
    ['no chat', { text: 'x' }, 'Bad Request: chat_id is empty'],
    ['no such chat', { chat_id: 'x', text: 'x' }, 'Bad Request: chat not found'],
    ['no text', { chat_id: 1, text: '' }, 'Bad Request: message text is empty'],
    ['too much text', { chat_id: 1, text: 'x'.repeat(4_097) }, 'Bad Request: message is too long'],
  ])('is refused: %s', async (_, parameters, description) => {
    const { call } = await openTestSandbox();
    expect(await call('sendMessage', parameters)).toEqual({ ok: false, error_code: 400, description });
  });

  it('copies and forwards messages, which can then be deleted', async () => {
    const { call } = await openTestSandbox();
    await call('sendPhoto', { chat_id: 1, photo: 'file-id', caption: 'look' });
    const source = { chat_id: 2, from_chat_id: 1, message_id: 1 };
    expect((await call('copyMessage', source)).result).toEqual({ message_id: 2 });
    expect((await call('forwardMessage', source)).result).toMatchObject({
      chat: { id: 2 },
      caption: 'look',
      photo: [{ file_id: 'file-id' }],
    });
    expect((await call('deleteMessage', { chat_id: 1, message_id: 1 })).result).toBe(true);
  });

  it('reaches topics that others have created, and threads below messages of groups', async () => {
    const { call, sandbox } = await openTestSandbox();
    const forum = { id: -1_000_000_000_005, type: 'supergroup', title: 'G', is_forum: true };
    const from = { id: 5, is_bot: false, first_name: 'Ada' };
    const topic = { message_thread_id: 40, is_topic_message: true };
    sandbox.addUpdates([{ message: { message_id: 41, date: 1, chat: forum, from, text: 'x', ...topic } }]);
    const sent = await call('sendMessage', { chat_id: -1_000_000_000_005, text: 'x', message_thread_id: 40 });
    expect(sent.result).toMatchObject(topic);
    sandbox.say({ chat: -5, text: 'x' });
    const below = { chat_id: -5, text: 'x', message_thread_id: sandbox.messages(-5)[0]?.message.message_id };
    const { result } = await call('sendMessage', below);
    expect(result).toMatchObject({ message_thread_id: below.message_thread_id });
    expect(result).not.toHaveProperty('is_topic_message');
  });
});
