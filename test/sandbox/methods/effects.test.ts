/** The updates that the bot itself causes, which are those that Telegram sends. */
import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

const GROUP = -1_000_000_000_005;

async function open() {
  const testSandbox = await openTestSandbox();
  const { call, sandbox } = testSandbox;
  await call('getUpdates', { allowed_updates: ['message', 'chat_member', 'my_chat_member', 'poll'] });
  sandbox.say({ chat: GROUP, text: 'x', from: 'Ada', fromId: 5 });
  const caused = () =>
    sandbox
      .updates()
      .slice(1)
      .map(({ json }) => JSON.parse(json));
  return { ...testSandbox, caused };
}

describe('the bot causes', () => {
  it('no update by the messages that it sends, edits or deletes', async () => {
    const { call, caused } = await open();
    await call('sendMessage', { chat_id: GROUP, text: 'x' });
    await call('editMessageText', { chat_id: GROUP, message_id: 2, text: 'y' });
    await call('deleteMessage', { chat_id: GROUP, message_id: 2 });
    expect(caused()).toEqual([]);
  });

  it('a message by a pin, once', async () => {
    const { call, caused } = await open();
    await call('pinChatMessage', { chat_id: GROUP, message_id: 1 });
    await call('pinChatMessage', { chat_id: GROUP, message_id: 1 });
    expect(caused()).toMatchObject([
      { message: { from: { is_bot: true }, pinned_message: { message_id: 1 } } },
    ]);
    expect((await call('getChat', { chat_id: GROUP })).result).toMatchObject({
      pinned_message: { text: 'x' },
    });
  });

  it('messages by a new title and photo', async () => {
    const { call, caused, client, sandbox } = await open();
    await call('setChatTitle', { chat_id: GROUP, title: 'New' });
    await call('setChatTitle', { chat_id: GROUP, title: 'New' });
    const body =
      '--x\r\ncontent-disposition: form-data; name="photo"; filename="p.png"\r\n\r\nP\r\n--x--\r\n';
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    await client.send(`/bot${sandbox.token}/setChatPhoto?chat_id=${GROUP}`, { headers, body });
    await call('deleteChatPhoto', { chat_id: GROUP });
    expect(caused()).toMatchObject([
      { message: { new_chat_title: 'New', chat: { title: 'New' } } },
      { message: { new_chat_photo: [{ file_size: 1 }] } },
      { message: { delete_chat_photo: true } },
    ]);
  });

  it('a message and a change of a member by a ban', async () => {
    const { call, caused } = await open();
    await call('banChatMember', { chat_id: GROUP, user_id: 5 });
    expect(caused()).toMatchObject([
      { message: { left_chat_member: { id: 5 } } },
      {
        chat_member: {
          from: { is_bot: true },
          old_chat_member: { status: 'member' },
          new_chat_member: { status: 'kicked', user: { id: 5 } },
        },
      },
    ]);
    await call('banChatMember', { chat_id: GROUP, user_id: 5 });
    expect(caused()).toHaveLength(2);
  });

  it('changes of members by restrictions and promotions', async () => {
    const { call, caused } = await open();
    const member = { chat_id: GROUP, user_id: 5 };
    await call('restrictChatMember', { ...member, permissions: { can_send_messages: true } });
    await call('promoteChatMember', { ...member, can_pin_messages: true });
    await call('promoteChatMember', member);
    expect(caused().map(({ chat_member }) => chat_member.new_chat_member.status)).toEqual([
      'restricted',
      'administrator',
      'member',
    ]);
    expect(caused()[0]).toMatchObject({
      chat_member: { new_chat_member: { can_send_messages: true, can_send_polls: false, is_member: true } },
    });
  });

  it('its own farewell, after which it may not write', async () => {
    const { call, caused, sandbox } = await open();
    await call('leaveChat', { chat_id: GROUP });
    expect(caused()).toMatchObject([
      { message: { left_chat_member: { is_bot: true } } },
      { my_chat_member: { new_chat_member: { status: 'left' } } },
    ]);
    expect(await call('sendMessage', { chat_id: GROUP, text: 'x' })).toEqual({
      ok: false,
      error_code: 403,
      description: 'Forbidden: bot is not a member of the supergroup chat',
    });
    const bot = { id: sandbox.id, is_bot: true, first_name: 'Sandbox' };
    const change = {
      chat: { id: GROUP, type: 'supergroup', title: 'G' },
      from: { id: 5, is_bot: false, first_name: 'Ada' },
      date: 1,
      old_chat_member: { status: 'left', user: bot },
      new_chat_member: { status: 'member', user: bot },
    };
    sandbox.addUpdates([{ my_chat_member: change }]);
    expect((await call('sendMessage', { chat_id: GROUP, text: 'x' })).ok).toBe(true);
  });

  it('messages by topics, which have the id of their first message', async () => {
    const { call, caused } = await open();
    const { message_thread_id } = (await call('createForumTopic', { chat_id: GROUP, name: 'T' })).result as {
      message_thread_id: number;
    };
    const topic = { chat_id: GROUP, message_thread_id };
    expect((await call('sendMessage', { ...topic, text: 'x' })).result).toMatchObject({
      message_thread_id,
      is_topic_message: true,
      chat: { is_forum: true },
    });
    await call('closeForumTopic', topic);
    expect((await call('sendMessage', { ...topic, text: 'x' })).description).toBe(
      'Bad Request: TOPIC_CLOSED',
    );
    expect(caused()).toMatchObject([
      { message: { message_id: message_thread_id, forum_topic_created: { name: 'T' } } },
      { message: { message_thread_id, forum_topic_closed: {} } },
    ]);
  });

  it('the new state of a poll by its stop', async () => {
    const { call, caused } = await open();
    await call('sendPoll', { chat_id: GROUP, question: 'q', options: ['a', 'b'] });
    await call('stopPoll', { chat_id: GROUP, message_id: 2 });
    expect(caused()).toMatchObject([{ poll: { is_closed: true } }]);
  });

  it('a new member by the approval of a request', async () => {
    const { call, caused, sandbox } = await open();
    await call('getUpdates', { offset: 1, allowed_updates: ['message', 'chat_member', 'chat_join_request'] });
    const from = { id: 8, is_bot: false, first_name: 'Bo' };
    const chat = { id: GROUP, type: 'supergroup', title: 'G' };
    sandbox.addUpdates([{ chat_join_request: { chat, from, user_chat_id: 8, date: 1 } }]);
    await call('approveChatJoinRequest', { chat_id: GROUP, user_id: 8 });
    expect((await call('approveChatJoinRequest', { chat_id: GROUP, user_id: 8 })).ok).toBe(false);
    expect(caused().slice(1)).toMatchObject([
      { message: { from: { id: 8 }, new_chat_members: [{ id: 8 }] } },
      { chat_member: { old_chat_member: { status: 'left' }, new_chat_member: { status: 'member' } } },
    ]);
  });
});

it('may not write to a person who has blocked it', async () => {
  const { call, sandbox } = await openTestSandbox();
  const user = { id: sandbox.id, is_bot: true, first_name: 'Sandbox' };
  const from = { id: 7, is_bot: false, first_name: 'Ada' };
  const change = {
    chat: { id: 7, type: 'private', first_name: 'Ada' },
    from,
    date: 1,
    old_chat_member: { status: 'member', user },
    new_chat_member: { status: 'kicked', user, until_date: 0 },
  };
  sandbox.addUpdates([{ my_chat_member: change }]);
  expect((await call('sendMessage', { chat_id: 7, text: 'x' })).description).toBe(
    'Forbidden: bot was blocked by the user',
  );
});
