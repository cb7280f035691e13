import { expect, it } from '@jest/globals';
import { notModelledMethods } from '../../src/sandbox/methods/not-modelled.js';
import { modelledMethods } from '../../src/sandbox/methods.js';
import { openTestSandbox } from './test-sandbox.js';

it.each([
  ['sendChatAction', { chat_id: 1, action: 'typing' }],
  ['sendMessageDraft', { chat_id: 1, draft_id: 1, text: 'x' }],
  ['close', {}],
])('%s responds true', async (method, parameters) => {
  const { call } = await openTestSandbox();
  expect(await call(method, parameters)).toEqual({ ok: true, result: true });
});

it.each([
  ['getChatMembersCount', { chat_id: 1 }, 2],
  ['kickChatMember', { chat_id: -1, user_id: 5 }, true],
  ['getMyName', {}, { name: 'Sandbox' }],
  ['getChatMenuButton', {}, { type: 'commands' }],
])('knows %s', async (method, parameters, result) => {
  const { call } = await openTestSandbox();
  expect(await call(method, parameters)).toEqual({ ok: true, result });
});

it('says of a method that it is not modelled', async () => {
  const { call } = await openTestSandbox();
  expect(await call('sendgift')).toEqual({
    ok: false,
    error_code: 400,
    description: 'Bad Request: the sandbox does not model sendGift',
  });
});

it('has no method twice', () => {
  expect(Object.keys(notModelledMethods).filter((name) => name in modelledMethods)).toEqual([]);
});
