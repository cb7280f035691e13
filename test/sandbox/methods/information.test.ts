import { describe, expect, it } from '@jest/globals';
import { openTestSandbox, type TestSandbox } from '../test-sandbox.js';

describe('the commands of a bot', () => {
  it('are one list for each scope and language, until they are deleted', async () => {
    const { call, sandbox } = await openTestSandbox();
    const a = [{ command: 'a', description: 'A' }];
    const b = [{ command: 'b', description: 'B' }];
    const scope = { type: 'chat', chat_id: 5 };
    await call('setMyCommands', { commands: a });
    await call('setMyCommands', { commands: b, language_code: 'de' });
    await call('setMyCommands', { commands: b, scope });
    expect((await call('getMyCommands')).result).toEqual(a);
    expect((await call('getMyCommands', { language_code: 'de' })).result).toEqual(b);
    expect((await call('getMyCommands', { scope: JSON.stringify(scope) })).result).toEqual(b);
    const shown = (chat: number) => sandbox.commands(chat).map(({ command }) => command);
    expect([shown(5), shown(6)]).toEqual([['b'], ['a']]);
    await call('setMyCommands', { commands: a, scope: { type: 'all_group_chats' }, language_code: 'en' });
    expect(shown(-6)).toEqual(['a']);
    await call('deleteMyCommands');
    expect((await call('getMyCommands')).result).toEqual([]);
    expect((await call('getMyCommands', { language_code: 'de' })).result).toEqual(b);
  });

  it.each([
    [[{ command: 'Upper Case', description: '' }], 'BOT_COMMAND_INVALID'],
    [[{ command: 'a', description: '' }], 'BOT_COMMAND_DESCRIPTION_INVALID'],
    ['nonsense', "can't parse BotCommand: Expected an Array"],
  ])('are refused: %j', async (commands, words) => {
    const { call } = await openTestSandbox();
    expect((await call('setMyCommands', { commands })).description).toBe(`Bad Request: ${words}`);
  });
});

it('shows the bot itself as a member, and as an administrator of groups', async () => {
  const { call } = await openTestSandbox();
  const member = { chat_id: -100, user_id: 7_000_000_000 };
  const bot = { id: 7_000_000_000, is_bot: true };
  expect((await call('getChatMember', member)).result).toMatchObject({ user: bot, status: 'administrator' });
  expect((await call('getChatAdministrators', member)).result).toMatchObject([{ user: bot }]);
  expect((await call('getChatAdministrators', { chat_id: 7 })).description).toBe(
    'Bad Request: there are no administrators in the private chat',
  );
});

it('keeps the names of chats and people', async () => {
  const { call, sandbox } = await openTestSandbox();
  sandbox.say({ text: 'x', chat: 5, from: 'Kim' });
  const kim = { id: 5, first_name: 'Kim' };
  expect((await call('sendMessage', { chat_id: 5, text: 'y' })).result).toMatchObject({ chat: kim });
  expect((await call('getChatMember', { chat_id: -1, user_id: 5 })).result).toMatchObject({ user: kim });
  expect((await call('getChat', { chat_id: 5 })).result).toMatchObject({ ...kim, accent_color_id: 5 });
});

it('learns the messages of raw updates', async () => {
  const { call, sandbox } = await openTestSandbox();
  const chat = { id: 7, type: 'private', first_name: 'A' };
  const photo = [{ file_id: 'a', file_unique_id: 'a', width: 1, height: 1 }];
  sandbox.addUpdates([{ message: { message_id: 9, date: 1, chat, from: chat, photo } }]);
  const source = { chat_id: 7, from_chat_id: 7, message_id: 9 };
  expect((await call('copyMessage', source)).result).toEqual({ message_id: 10 });
  expect((await call('forwardMessage', source)).result).toMatchObject({ photo, chat });
  expect((await call('getFile', { file_id: 'a' })).ok).toBe(true);
});

it('answers a button once, while it waits', async () => {
  const { call, clock, sandbox } = await openTestSandbox();
  const press = (id: string) => ({ callback_query: { id, from: { id: 7 }, data: 'a' } });
  sandbox.addUpdates([press('c1'), press('c2')]);
  const answer = (id: string) => call('answerCallbackQuery', { callback_query_id: id });
  const refusal = 'Bad Request: query is too old and response timeout expired or query ID is invalid';
  expect((await answer('never')).description).toBe(refusal);
  expect((await answer('c1')).result).toBe(true);
  expect((await answer('c1')).description).toBe(refusal);
  await clock.advance(150_001);
  expect((await answer('c2')).description).toBe(refusal);
});

it('takes the answer to a button, however many others were pressed since', async () => {
  const { call, sandbox } = await openTestSandbox();
  const from = { id: 7 };
  sandbox.addUpdates(
    Array.from({ length: 3_000 }, (_, index) => ({ callback_query: { id: `c${index}`, from, data: 'a' } })),
  );
  expect((await call('answerCallbackQuery', { callback_query_id: 'c0' })).result).toBe(true);
  expect(sandbox.queries()).toHaveLength(3_000);
});

describe('a file', () => {
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const bodyWith = (content: string) =>
    `--x\r\ncontent-disposition: form-data; name="document"; filename="s.bin"\r\n\r\n${content}\r\n--x--\r\n`;

  /** Resolves to the id of the file that was sent. */
  async function upload({ client, sandbox }: TestSandbox, content: string): Promise<string> {
    const request = { headers, body: bodyWith(content) };
    const sent = await client.send(`/bot${sandbox.token}/sendDocument?chat_id=1`, request);
    return JSON.parse(sent.body).result.document.file_id;
  }

  async function download({ call, client, sandbox }: TestSandbox, id: string) {
    const { file_path } = (await call('getFile', { file_id: id })).result as { file_path: string };
    return client.send(`/file/bot${sandbox.token}/${file_path}`, { method: 'GET' });
  }

  it('that was sent can be downloaded', async () => {
    const testSandbox = await openTestSandbox();
    const id = await upload(testSandbox, 'CONTENT');
    expect(await download(testSandbox, id)).toMatchObject({ status: 200, body: 'CONTENT' });
  });

  it('can be downloaded, too, when its program did not wait for the answer', async () => {
    const testSandbox = await openTestSandbox();
    const { call, client, sandbox, clock } = testSandbox;
    sandbox.addFault({ kind: 'latency', ms: 50, method: 'sendDocument' });
    const program = new AbortController();
    const request = { headers, body: bodyWith('CONTENT'), signal: program.signal };
    const sent = client.send(`/bot${sandbox.token}/sendDocument?chat_id=1`, request);
    await sandbox.waitFor(() => sandbox.callCount('sendDocument') === 1);
    program.abort();
    await expect(sent).rejects.toThrow();
    // It is answered after the end of the other connection has come to the server.
    await call('getMe');
    await clock.advance(50);
    const document = sandbox.messages(1)[0]?.message['document'] as { file_id: string };
    expect(await download(testSandbox, document.file_id)).toMatchObject({ body: 'CONTENT' });
  });

  it('has an id that no file of another sandbox has, nor one that was named before', async () => {
    const [first, second] = [await openTestSandbox(), await openTestSandbox()];
    const id = await upload(first, 'FIRST');
    await upload(second, 'SECOND');
    expect((await second.call('getFile', { file_id: id })).error_code).toBe(400);
    await second.call('sendDocument', { chat_id: 1, document: id });
    const ids = [await upload(second, 'THIRD'), await upload(second, 'FOURTH')];
    const contents = await Promise.all(ids.map(async (own) => (await download(second, own)).body));
    expect(contents).toEqual(['THIRD', 'FOURTH']);
  });

  it('that nobody has seen is refused', async () => {
    const { call, client, sandbox } = await openTestSandbox();
    expect((await call('getFile', { file_id: 'nobodys' })).error_code).toBe(400);
    expect((await client.send(`/file/bot${sandbox.token}/documents/file_7`)).status).toBe(404);
  });
});

describe('the shape of', () => {
  it.each([
    [
      'sendPoll',
      { question: 'q', options: '["a","b"]' },
      {
        poll: {
          question: 'q',
          options: [
            { text: 'a', voter_count: 0 },
            { text: 'b', voter_count: 0 },
          ],
          is_closed: false,
          is_anonymous: true,
          type: 'regular',
          total_voter_count: 0,
        },
      },
    ],
    ['sendSticker', { sticker: 'x' }, { sticker: { type: 'regular', is_animated: false, is_video: false } }],
    [
      'sendLocation',
      { latitude: '1.5', longitude: 2, live_period: 60 },
      { location: { latitude: 1.5, longitude: 2, live_period: 60 } },
    ],
  ])('%s is the documented one', async (method, parameters, content) => {
    const { call } = await openTestSandbox();
    expect((await call(method, { chat_id: 1, ...parameters })).result).toMatchObject(content);
  });

  it('an album is that of its items', async () => {
    const { call } = await openTestSandbox();
    const media = [
      { type: 'video', media: 'v' },
      { type: 'photo', media: 'p' },
    ];
    expect((await call('sendMediaGroup', { chat_id: 1, media })).result).toMatchObject([
      { video: { width: 640, height: 480, duration: 1 } },
      { photo: [{ file_id: 'p' }] },
    ]);
  });

  it('a place is refused without numbers', async () => {
    const { call } = await openTestSandbox();
    const place = { chat_id: 1, latitude: 'abc', longitude: 1 };
    expect((await call('sendLocation', place)).error_code).toBe(400);
  });
});
