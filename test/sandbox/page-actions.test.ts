import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

const json = { 'content-type': 'application/json' };

/** A sandbox in which people act as on its page. */
async function openPeopledSandbox() {
  const opened = await openTestSandbox();
  const { client, call } = opened;
  const act = async (name: string, fields: object) =>
    JSON.parse(
      (await client.send(`/sandbox/page/${name}`, { headers: json, body: JSON.stringify(fields) })).body,
    );
  const upload = async (query: string) =>
    JSON.parse((await client.send(`/sandbox/page/file?chat=1&${query}`, { body: 'content' })).body);
  /** The content of the newest message of a chat. */
  const newest = (chat = 1) => opened.sandbox.messages(chat).at(-1)?.message;
  const updates = async (): Promise<readonly Record<string, Record<string, unknown>>[]> =>
    (await call('getUpdates', { offset: 0 })).result;
  return { ...opened, act, upload, newest, updates };
}

describe('people at the page', () => {
  it('write alone and in groups, edit, and send files', async () => {
    const { client, sandbox, call } = await openTestSandbox();
    const act = async (name: string, fields: object) =>
      JSON.parse(
        (await client.send(`/sandbox/page/${name}`, { headers: json, body: JSON.stringify(fields) })).body,
      );
    const { chat } = await act('person', { name: 'Ada' });
    const { chat: group } = await act('group', { title: 'Team' });
    await act('say', { chat: group, from: chat, text: 'hello @all' });
    await act('say', { chat, text: 'hello' });
    const message = sandbox.messages(chat).at(-1);
    await act('edit', { chat, message: message?.message.message_id, text: 'hallo' });
    const file = await client.send(
      `/sandbox/page/file?chat=${chat}&name=a.txt&type=text/plain&caption=look`,
      { body: 'content' },
    );
    expect(file.status).toBe(200);
    const updates: readonly Record<string, unknown>[] = (await call('getUpdates')).result;
    expect(updates).toMatchObject([
      { my_chat_member: { chat: { id: group, title: 'Team' }, new_chat_member: { status: 'member' } } },
      { message: { chat: { id: group }, from: { first_name: 'Ada' }, entities: [{ type: 'mention' }] } },
      { message: { text: 'hello' } },
      { edited_message: { text: 'hallo' } },
      { message: { document: { file_name: 'a.txt', file_size: 7 }, caption: 'look' } },
    ]);
    const shown = sandbox.messages(chat).at(-1)?.message['document'] as { file_id: string };
    const sent = await client.send(`/sandbox/page/file?id=${shown.file_id}`, { method: 'GET' });
    expect(sent).toMatchObject({ status: 200, body: 'content' });
    expect(sent.headers['content-disposition']).toBe('attachment');
    expect(sandbox.state().queued).toBe(5);
  });

  it.each([
    [
      'name=a.png&type=image/png&width=60&height=40&caption=look',
      { photo: [{ width: 60, height: 40 }], caption: 'look' },
    ],
    ['name=a.png&type=image/png', { document: { file_name: 'a.png', mime_type: 'image/png' } }],
    ['name=a.png&type=image/png&width=60&height=40&as=document', { document: { file_name: 'a.png' } }],
    ['name=a.gif&type=image/gif&width=60&height=40', { animation: { width: 60, mime_type: 'image/gif' } }],
    [
      'name=a.mp4&type=video/mp4&width=60&height=40&duration=3',
      { video: { duration: 3, mime_type: 'video/mp4' } },
    ],
    ['name=a.mp3&type=audio/mpeg&duration=9', { audio: { duration: 9, file_name: 'a.mp3' } }],
    [
      'name=a.ogg&type=audio/ogg&duration=2&as=voice',
      { voice: { duration: 2, mime_type: 'audio/ogg', file_size: 7 } },
    ],
    ['name=a.txt&type=', { document: { file_name: 'a.txt', file_size: 7 } }],
  ])('send a file as what it is: %s', async (query, content) => {
    const { upload, newest } = await openPeopledSandbox();
    expect(await upload(query)).toHaveProperty('update');
    expect(newest()).toMatchObject(content);
  });

  it('send stickers, places, contacts and dice', async () => {
    const { act, newest } = await openPeopledSandbox();
    await act('sticker', { chat: 1, emoji: '👍' });
    expect(newest()).toMatchObject({ sticker: { emoji: '👍', type: 'regular' } });
    const sticker = newest()?.['sticker'];
    await act('sticker', { chat: 1, emoji: '👍' });
    expect(newest()?.['sticker']).toEqual(sticker);
    await act('location', { chat: 1, latitude: -33.9, longitude: 18.4 });
    expect(newest()).toMatchObject({ location: { latitude: -33.9, longitude: 18.4 } });
    expect(await act('location', { chat: 1, latitude: 91, longitude: 0 })).toMatchObject({
      error: expect.stringContaining('latitude must be a number from -90 to 90'),
    });
    await act('contact', { chat: 1, name: 'Grace', phone: '+1 (555) 0101' });
    expect(newest()).toMatchObject({ contact: { first_name: 'Grace', phone_number: '+15550101' } });
    await act('say', { chat: 1, text: '🎰' });
    expect(newest()).toMatchObject({ dice: { emoji: '🎰', value: expect.any(Number) } });
    await act('say', { chat: 1, text: '🎰 !' });
    expect(newest()).toMatchObject({ text: '🎰 !' });
  });

  it('delete their own messages, of which the bot hears nothing', async () => {
    const { act, call, newest, updates } = await openPeopledSandbox();
    await act('say', { chat: 1, text: 'a slip' });
    const id = newest()?.message_id;
    expect(await act('delete', { chat: 1, message: id })).toEqual({});
    expect(newest()).toBeUndefined();
    expect(await updates()).toHaveLength(1);
    await call('sendMessage', { chat_id: 1, text: 'mine' });
    expect(await act('delete', { chat: 1, message: newest()?.message_id })).toEqual({
      error: 'a person can delete only their own messages',
    });
  });

  it('block the bot, and let it write again', async () => {
    const { act, call, updates } = await openPeopledSandbox();
    expect(await act('block', { chat: 1, do: 'block' })).toEqual({});
    expect(await call('sendMessage', { chat_id: 1, text: 'x' })).toMatchObject({ error_code: 403 });
    await act('block', { chat: 1, do: 'unblock' });
    expect((await call('sendMessage', { chat_id: 1, text: 'x' })).ok).toBe(true);
    expect(await updates()).toMatchObject([
      { my_chat_member: { from: { id: 1 }, new_chat_member: { status: 'kicked' } } },
      { my_chat_member: { from: { id: 1 }, new_chat_member: { status: 'member' } } },
    ]);
    expect(await act('block', { chat: -5, do: 'block' })).toEqual({
      error: 'a person blocks the bot in their private chat',
    });
  });

  it('join groups and leave them', async () => {
    const { act, sandbox, newest } = await openPeopledSandbox();
    const { chat: ada } = await act('person', { name: 'Ada' });
    const { chat: group } = await act('group', { title: 'Team' });
    const { chat: grace } = await act('person', { name: 'Grace' });
    const members = () =>
      sandbox
        .chats()
        .find(({ chat }) => chat.id === group)
        ?.members.map(({ user }) => user.id);
    await act('move', { chat: group, from: grace, do: 'leave' });
    expect(newest(group)).toMatchObject({ left_chat_member: { id: grace } });
    expect(members()).toEqual([sandbox.id, ada]);
    await act('move', { chat: group, from: grace, do: 'join' });
    expect(newest(group)).toMatchObject({ new_chat_members: [{ id: grace }] });
    expect(members()).toEqual([sandbox.id, ada, grace]);
    expect(await act('move', { chat: 1, do: 'leave' })).toEqual({
      error: 'people join and leave groups only',
    });
  });
});
