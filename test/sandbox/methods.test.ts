import { expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

it.each(['sendChatAction', 'answerInlineQuery', 'setMessageReaction', 'close'])(
  '%s responds true',
  async (method) => {
    const { call } = await openTestSandbox();
    expect(await call(method, { chat_id: 1 })).toEqual({ ok: true, result: true });
  },
);

it('stores the commands of a bot', async () => {
  const { call } = await openTestSandbox();
  const commands = [{ command: 'start', description: 'begin' }];
  await call('setMyCommands', { commands });
  expect((await call('getMyCommands')).result).toEqual(commands);
});

it.each([
  ['getChatMembersCount', 2],
  ['kickChatMember', true],
  ['closeGeneralForumTopic', true],
  ['getMyName', { name: 'Sandbox' }],
  ['getChatMenuButton', { type: 'commands' }],
])('knows %s', async (method, result) => {
  const { call } = await openTestSandbox();
  expect(await call(method, { chat_id: 1 })).toEqual({ ok: true, result });
});
