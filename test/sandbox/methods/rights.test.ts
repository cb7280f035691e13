/** What a bot may not do in a group without the right to, and which messages it may not delete. */
import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

const GROUP = -5;
const SUPERGROUP = -1_000_000_000_005;
const CHANNEL = -1_000_000_000_006;
const DAY_MS = 86_400_000;

/** A bot in a group, in a supergroup and in a channel; in the first two, Ada has written message 1 or 2. */
async function open(status: object) {
  const testSandbox = await openTestSandbox();
  const { sandbox, call } = testSandbox;
  for (const chat of [GROUP, SUPERGROUP]) sandbox.say({ chat, text: 'x', from: 'Ada', fromId: 5 });
  const from = { id: 5, is_bot: false, first_name: 'Ada' };
  const user = { id: sandbox.id, is_bot: true, first_name: 'Sandbox' };
  for (const [id, type] of [
    [GROUP, 'group'],
    [SUPERGROUP, 'supergroup'],
    [CHANNEL, 'channel'],
  ])
    sandbox.addUpdates([
      {
        my_chat_member: {
          chat: { id, type, title: 'G' },
          from,
          date: 1,
          old_chat_member: { status: 'administrator', user },
          new_chat_member: { user, ...status },
        },
      },
    ]);
  const answer = async (method: string, parameters: object) => {
    const { ok, description } = await call(method, { chat_id: SUPERGROUP, ...parameters });
    return ok ? 'ok' : description;
  };
  return { ...testSandbox, answer };
}

const actions: readonly (readonly [method: string, parameters: object, refusal: string])[] = [
  ['pinChatMessage', { message_id: 2 }, 'not enough rights to manage pinned messages in the chat'],
  ['unpinAllChatMessages', {}, 'not enough rights to manage pinned messages in the chat'],
  ['setChatTitle', { title: 'T' }, 'not enough rights to change chat title'],
  ['setChatDescription', { description: 'T' }, 'not enough rights to set chat description'],
  ['setChatPermissions', { permissions: {} }, 'not enough rights to change chat permissions'],
  ['createChatInviteLink', {}, 'not enough rights to manage chat invite link'],
  ['exportChatInviteLink', {}, 'not enough rights to manage chat invite link'],
  [
    'restrictChatMember',
    { user_id: 5, permissions: {} },
    'not enough rights to restrict/unrestrict chat member',
  ],
  ['banChatMember', { user_id: 5 }, 'not enough rights to restrict/unrestrict chat member'],
  ['unbanChatMember', { user_id: 5 }, 'not enough rights to restrict/unrestrict chat member'],
  ['deleteMessage', { message_id: 2 }, "message can't be deleted"],
  ['deleteMessages', { message_ids: [2] }, "message can't be deleted"],
];

describe.each(actions)('%s %j', (method, parameters, refusal) => {
  it('is refused to a member, and to an administrator without the right', async () => {
    const member = await open({ status: 'member' });
    expect(await member.answer(method, parameters)).toBe(`Bad Request: ${refusal}`);
    const denied = Object.fromEntries(
      ['pin_messages', 'change_info', 'restrict_members', 'invite_users', 'delete_messages'].map((right) => [
        `can_${right}`,
        false,
      ]),
    );
    const administrator = await open({ status: 'administrator', ...denied });
    expect(await administrator.answer(method, parameters)).toBe(`Bad Request: ${refusal}`);
  });

  it('is done by an administrator', async () => {
    const { answer } = await open({ status: 'administrator' });
    expect(await answer(method, parameters)).toBe('ok');
  });
});

describe('a bot', () => {
  it('manages pinned messages in a channel by the right to edit messages there', async () => {
    const refusal = 'Bad Request: not enough rights to manage pinned messages in the chat';
    const inChannel = { chat_id: CHANNEL };
    const editor = await open({ status: 'administrator', can_edit_messages: true, can_pin_messages: false });
    expect(await editor.answer('unpinAllChatMessages', inChannel)).toBe('ok');
    expect(await editor.answer('unpinAllChatMessages', {})).toBe(refusal);
    const other = await open({ status: 'administrator', can_edit_messages: false, can_pin_messages: true });
    expect(await other.answer('unpinAllChatMessages', inChannel)).toBe(refusal);
    expect(await other.answer('unpinAllChatMessages', {})).toBe('ok');
  });

  it('deletes any message of a basic group as its administrator, whatever single rights it has', async () => {
    const message = { chat_id: GROUP, message_id: 1 };
    const member = await open({ status: 'member' });
    expect(await member.answer('deleteMessage', message)).toBe(
      "Bad Request: message can't be deleted for everyone",
    );
    const administrator = await open({ status: 'administrator', can_delete_messages: false });
    expect(await administrator.answer('deleteMessage', message)).toBe('ok');
  });

  it('needs no right to unban, only if banned, somebody who is not', async () => {
    const { answer } = await open({ status: 'member' });
    expect(await answer('unbanChatMember', { user_id: 5, only_if_banned: true })).toBe('ok');
  });

  it('stays what it is in a group when it causes service messages there', async () => {
    const { call, sandbox } = await openTestSandbox();
    await call('setChatTitle', { chat_id: SUPERGROUP, title: 'T' });
    const member = await call('getChatMember', { chat_id: SUPERGROUP, user_id: sandbox.id });
    expect(member.result).toMatchObject({ status: 'administrator' });
  });

  it('may delete its own messages as a member', async () => {
    const { answer, call } = await open({ status: 'member' });
    const { message_id } = (await call('sendMessage', { chat_id: SUPERGROUP, text: 'x' })).result as {
      message_id: number;
    };
    expect(await answer('deleteMessage', { message_id })).toBe('ok');
  });

  it.each([
    [{ id: 1, type: 'private', first_name: 'Ada' }, "message can't be deleted for everyone"],
    [{ id: GROUP, type: 'group', title: 'G' }, "message can't be deleted for everyone"],
    [{ id: SUPERGROUP, type: 'supergroup', title: 'G' }, "message can't be deleted"],
  ])('may delete messages only within 48 hours: %j', async (chat, refusal) => {
    const { call, sandbox, clock } = await openTestSandbox();
    const from = { id: 1, is_bot: false, first_name: 'Ada' };
    // The date of a message is what somebody says; the sandbox goes by when it has come.
    const message = (message_id: number) => ({ message: { message_id, date: 1, chat, from, text: 'x' } });
    sandbox.addUpdates([message(1)]);
    await clock.advance(60_000);
    sandbox.addUpdates([message(2)]);
    await clock.advance(2 * DAY_MS - 60_000);
    const refused = { ok: false, description: `Bad Request: ${refusal}` };
    expect(await call('deleteMessage', { chat_id: chat.id, message_id: 1 })).toMatchObject(refused);
    expect(await call('deleteMessages', { chat_id: chat.id, message_ids: [1, 2] })).toMatchObject(refused);
    expect((await call('deleteMessage', { chat_id: chat.id, message_id: 2 })).ok).toBe(true);
  });

  it('may not take back dice in a private chat for a day', async () => {
    const { call, clock } = await openTestSandbox();
    await call('sendDice', { chat_id: 1 });
    await call('sendDice', { chat_id: GROUP });
    expect(await call('deleteMessage', { chat_id: 1, message_id: 1 })).toMatchObject({
      description: "Bad Request: message can't be deleted for everyone",
    });
    expect((await call('deleteMessage', { chat_id: GROUP, message_id: 2 })).ok).toBe(true);
    await clock.advance(DAY_MS);
    expect((await call('deleteMessage', { chat_id: 1, message_id: 1 })).ok).toBe(true);
  });

  it('sells photos and videos only', async () => {
    const { call } = await openTestSandbox();
    const media = (type: string) => ({ chat_id: 1, star_count: 1, media: [{ type, media: 'x' }] });
    expect((await call('sendPaidMedia', media('video'))).ok).toBe(true);
    expect((await call('sendPaidMedia', media('document'))).description).toBe(
      'Bad Request: can\'t parse InputMedia: type "document" is unsupported',
    );
  });
});
