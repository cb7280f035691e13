import { describe, expect, it, jest } from '@jest/globals';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

const OTHER_TOKEN = '7000000001:ANOTHER-SANDBOX-TOKEN-NOT-SECRET000';

const ada = { id: 7, is_bot: false, first_name: 'Ada' };
const press = { id: '1', from: ada, chat_instance: '1', data: 'a' };

describe('the control API', () => {
  it('adds raw updates', async () => {
    const { client, call } = await openTestSandbox();
    const poll = { id: '2', question: 'Why?', options: [] };
    const updates = [{ callback_query: press }, { update_id: 500, poll }];
    expect(await client.control('POST', 'updates', { updates })).toEqual({ ids: [100, 500] });
    expect((await call('getUpdates')).result).toEqual([
      { update_id: 100, callback_query: press },
      { update_id: 500, poll },
    ]);
  });

  it('sends messages to the bot in the name of a person', async () => {
    const { client, call } = await openTestSandbox();
    await client.control('POST', 'updates', { chat: -7, text: 'hi {n}', count: 2, from: 'Ada', fromId: 3 });
    expect((await call('getUpdates')).result).toMatchObject([
      { message: { chat: { id: -7 }, from: { id: 3, first_name: 'Ada' }, text: 'hi 1' } },
      { message: { text: 'hi 2' } },
    ]);
  });

  it('returns the state and the calls', async () => {
    const testSandbox = await openTestSandbox();
    const { client, call } = testSandbox;
    await call('sendMessage', { chat_id: 1, text: 'x' });
    const caller = new AbortController();
    const poll = call('getUpdates', { timeout: 50 }, caller.signal);
    await pollWaits(testSandbox);
    expect(await client.control('GET', 'state')).toEqual({
      bot: 7_000_000_000,
      queued: 0,
      nextUpdateId: 100,
      waitingPolls: 1,
      polls: 1,
      conflicts: 0,
      webhookUrl: '',
      calls: { sendMessage: 1, getUpdates: 1 },
    });
    expect(await client.control('GET', 'calls?method=getupdates&since=1')).toMatchObject({
      calls: [{ number: 2, method: 'getUpdates', parameters: { timeout: 50 } }],
    });
    caller.abort();
    await expect(poll).rejects.toThrow();
  });

  it('sets the next update id', async () => {
    const { client, sandbox } = await openTestSandbox();
    expect(await client.control('POST', 'state', { nextUpdateId: 7 })).toMatchObject({ nextUpdateId: 7 });
    expect(sandbox.say('x')).toEqual([7]);
    expect(await client.control('POST', 'state', { nextUpdateId: 3 })).toMatchObject({
      error: expect.stringContaining('cannot be lowered'),
    });
  });

  it('selects another bot by its id or token', async () => {
    const { client, sandbox } = await openTestSandbox();
    await client.control('POST', 'updates', { bot: OTHER_TOKEN, text: 'x' });
    expect(await client.control('GET', 'state?bot=7000000001')).toMatchObject({ queued: 1 });
    expect(sandbox.state().queued).toBe(0);
    expect(await client.control('GET', 'state?bot=5')).toEqual({ error: 'no bot with id 5 has been seen' });
  });

  it('adds, lists and removes faults', async () => {
    const { client, call } = await openTestSandbox();
    const { id } = await client.control('POST', 'faults', { kind: 'revoked', method: 'getMe' });
    expect((await call('getMe')).error_code).toBe(401);
    expect(await client.control('GET', 'faults')).toEqual({
      faults: [{ id, rule: { kind: 'revoked', method: 'getMe' }, hits: 1 }],
    });
    expect(await client.control('DELETE', `faults?id=${id}`)).toEqual({ faults: [] });
    expect((await call('getMe')).ok).toBe(true);
    await client.control('POST', 'faults', { kind: 'revoked' });
    expect(await client.control('DELETE', 'faults')).toEqual({ faults: [] });
  });

  it('is exempt from faults', async () => {
    const { client } = await openTestSandbox();
    await client.control('GET', 'state');
    await client.control('POST', 'faults', { kind: 'half-open' });
    expect(await client.control('GET', 'state')).toMatchObject({ queued: 0 });
    await client.control('POST', 'faults', { kind: 'refuse', forMs: 1_000_000 });
    expect(await client.control('DELETE', 'faults')).toEqual({ faults: [] });
  });

  it('starts conversations and reports on them', async () => {
    const { client, call } = await openTestSandbox();
    await client.control('POST', 'chats', { chat: 4, say: ['one', 'two'], from: 'Bo' });
    await call('sendMessage', { chat_id: 4, text: 'echo one' });
    expect(await client.control('GET', 'chats?chat=4')).toMatchObject({
      report: { answered: 1 },
      exchanges: [{ text: 'one', answers: [{ text: 'echo one' }] }, { text: 'two' }],
    });
  });

  it('says why an update is dropped', async () => {
    const { client, call } = await openTestSandbox();
    const member = { status: 'member', user: ada };
    const chat_member = {
      chat: { id: -5, type: 'group' },
      from: ada,
      date: 1,
      old_chat_member: member,
      new_chat_member: member,
    };
    expect(await client.control('POST', 'updates', { updates: [{ chat_member }] })).toEqual({
      ids: [],
      dropped: expect.stringContaining('it has to name it in the allowed_updates'),
    });
    await call('getUpdates', { allowed_updates: ['message', 'guest_message', 'managed_bot'] });
    expect(await client.control('POST', 'updates', { updates: [{ callback_query: press }] })).toEqual({
      ids: [],
      dropped: expect.stringContaining('its allowed_updates are message, guest_message, managed_bot'),
    });
  });

  it('takes a fault of a bot that has not called yet', async () => {
    const { client } = await openTestSandbox();
    expect(await client.control('POST', 'faults', { kind: 'revoked', bot: 7_000_000_001 })).toEqual({
      id: 1,
    });
    expect((await client.call(OTHER_TOKEN, 'getMe')).error_code).toBe(401);
  });

  it('responds 404 to the removal of a fault that is not there', async () => {
    const { client } = await openTestSandbox();
    const { status, body } = await client.send('/sandbox/faults?id=99', { method: 'DELETE' });
    expect({ status, ...JSON.parse(body) }).toEqual({
      status: 404,
      error: 'there is no fault with the id 99',
    });
  });

  it.each([
    ['updates', {}, 'text is missing; the request must have one of text, press, vote, updates'],
    ['updates', { press: 'a' }, 'there is no button "a" in chat 1; there is none at all'],
    ['updates', { vote: [0] }, 'there is no poll of the bot in chat 1'],
    ['updates', { vote: [-1] }, 'vote must be a list'],
    ['updates', { updates: 5 }, 'updates must be a list'],
    ['updates', { updates: [{}] }, 'updates[0]: an update needs one kind'],
    ['updates', { updates: [{ callback_query: press }, 1] }, 'updates[1]: an update must be an object'],
    ['updates', { text: 'x', count: 'many' }, 'count must be a whole number from 1 to 100000, not "many"'],
    ['updates', { text: 'x', count: -3 }, 'count must be a whole number from 1 to 100000, not -3'],
    ['updates', { text: 'x', count: 2_000_000 }, 'not 2000000'],
    ['updates', { text: 'x', chat: 0 }, 'chat must be a whole number other than 0, not 0'],
    ['updates', { text: 'x', chat: 1.5 }, 'chat must be a whole number other than 0, not 1.5'],
    ['updates', { text: 'x', chat: true }, 'chat must be a whole number other than 0, not true'],
    [
      'updates',
      { text: 'x', nonsense: 1 },
      'there is no field nonsense; expected text, chat, fromId, from, count, bot',
    ],
    ['updates', { text: 5 }, 'text must be a text'],
    ['updates', { text: ' ' }, 'text must be a text of 1 to 4096 characters, not " "'],
    ['updates', { text: 'x'.repeat(4_097) }, 'text must be a text of 1 to 4096 characters, not "xxx'],
    ['updates', { bot: 'a:b', text: 'x' }, 'Not Found'],
    ['updates', { bot: { toString: 1, valueOf: 1 }, text: 'x' }, 'bot must be the id or the token of a bot'],
    ['state', {}, 'nextUpdateId is missing: it must be a whole number from 1'],
    ['state', { nextUpdateId: 0.5 }, 'nextUpdateId must be a whole number'],
    ['chats', { say: 'x' }, 'say must be a list, each item of it a text'],
    ['chats', { say: ['x'], round: 2 }, 'there is no field round'],
    ['faults', { kind: 'nonsense' }, 'there is no kind "nonsense"; it must be one of latency'],
    ['faults', { kind: 'refuse' }, 'refuse needs forMs'],
    ['faults', { kind: 'rival', bot: 5 }, 'no bot with id 5'],
    ['nonsense', undefined, 'no such path'],
  ])('refuses an invalid request: %s %j', async (path, content, words) => {
    const { client, sandbox } = await openTestSandbox();
    const { error } = await client.control('POST', path, content);
    expect(error).toContain(words);
    expect(sandbox.state().queued).toBe(0);
    expect(sandbox.faults()).toEqual([]);
  });

  it('answers 500 to what it cannot deal with, and goes on', async () => {
    const { client, sandbox } = await openTestSandbox();
    const failing = jest.spyOn(sandbox, 'state').mockImplementation(() => {
      throw new TypeError('this is a bug');
    });
    const { status, body } = await client.send('/sandbox/state', { method: 'GET' });
    expect({ status, ...JSON.parse(body) }).toEqual({ status: 500, error: 'this is a bug' });
    failing.mockRestore();
    expect(await client.control('GET', 'state')).toMatchObject({ queued: 0 });
  });

  it('names each field that is wrong', async () => {
    const { client } = await openTestSandbox();
    expect(await client.control('POST', 'updates', { text: 5, chat: 0, nonsense: 1 })).toEqual({
      error: expect.stringContaining('text must be a text of 1 to 4096 characters, not 5; chat must be'),
      fields: {
        text: expect.stringContaining('not 5'),
        chat: expect.stringContaining('other than 0'),
        nonsense: expect.stringContaining('there is no field nonsense'),
      },
    });
    expect(await client.control('POST', 'faults', { kind: 'latency', ms: 'x', forMS: 5 })).toMatchObject({
      fields: {
        ms: expect.stringContaining('milliseconds'),
        forMS: expect.stringContaining('no field forMS'),
      },
    });
  });

  it('lists bots, chats, people and messages', async () => {
    const { client, call } = await openTestSandbox();
    await client.control('POST', 'updates', { text: 'hi', chat: -5, from: 'Ada', fromId: 3 });
    await client.control('POST', 'updates', { text: 'hi', bot: OTHER_TOKEN });
    const markup = { keyboard: [['yes', 'no']] };
    await call('sendMessage', { chat_id: -5, text: 'well?', reply_markup: markup });
    const reaction = [{ type: 'emoji', emoji: '👍' }];
    await call('setMessageReaction', { chat_id: -5, message_id: 1, reaction });
    expect(await client.control('GET', 'bots')).toMatchObject({
      bots: [{ bot: 7_000_000_000 }, { bot: 7_000_000_001, queued: 1 }],
    });
    expect(await client.control('GET', 'people')).toMatchObject({ people: [{ id: 3, first_name: 'Ada' }] });
    expect(await client.control('GET', 'chats')).toMatchObject({
      chats: [
        {
          chat: { id: -5, title: 'Group 5' },
          members: [{ status: 'administrator' }, { user: { id: 3 } }],
          replyMarkup: { keyboard: [[{ text: 'yes' }, { text: 'no' }]] },
        },
      ],
    });
    expect(await client.control('GET', 'chats?chat=-5')).toMatchObject({
      messages: [
        { message: { text: 'hi' }, reactions: reaction },
        { message: { message_id: 2, text: 'well?' }, reactions: [] },
      ],
    });
  });

  it('lists updates with their way, by state', async () => {
    const { client, call, clock } = await openTestSandbox();
    await client.control('POST', 'updates', { text: 'line {n}', chat: 7, count: 2 });
    await call('getUpdates', { limit: 1 });
    await clock.advance(20);
    await call('sendMessage', { chat_id: 7, text: 'line 1!' });
    await call('sendChatAction', { chat_id: 7, action: 'typing' });
    expect(await client.control('GET', 'updates?state=answered')).toMatchObject({
      updates: [
        {
          id: 100,
          kind: 'message',
          chat: 7,
          state: 'delivered',
          queuedAtMs: 0,
          deliveryCount: 1,
          deliveries: [{ call: 1, atMs: 0, received: true }],
          answerCount: 2,
          answers: [
            { call: 2, method: 'sendMessage', atMs: 20 },
            { call: 3, method: 'sendChatAction' },
          ],
        },
      ],
    });
    expect(await client.control('GET', 'updates?state=waiting')).toMatchObject({ updates: [{ id: 101 }] });
    await call('getUpdates', { offset: 101 });
    expect(await client.control('GET', 'updates?state=confirmed')).toMatchObject({
      updates: [{ id: 100, confirmedBy: 101, leftAtMs: 20 }],
    });
    await clock.advance(86_400_001);
    await client.control('GET', 'state');
    expect(await client.control('GET', 'updates?state=expired')).toMatchObject({ updates: [{ id: 101 }] });
    await client.control('POST', 'updates', { text: 'x', chat: 7 });
    await call('deleteWebhook', { drop_pending_updates: true });
    expect(await client.control('GET', 'updates?state=dropped')).toMatchObject({ updates: [{ id: 102 }] });
    expect(await client.control('GET', 'updates?state=lost')).toMatchObject({
      error: expect.stringContaining('state must be one of waiting, delivered, confirmed'),
    });
  });

  it('presses a button, and shows the answer', async () => {
    const { client, call } = await openTestSandbox();
    const reply_markup = { inline_keyboard: [[{ text: 'Yes', callback_data: 'y' }]] };
    await call('sendMessage', { chat_id: 7, text: 'well?', reply_markup });
    expect(await client.control('POST', 'updates', { press: 'y', chat: 7 })).toEqual({ ids: [100] });
    const [{ callback_query }] = (await call('getUpdates')).result as [{ callback_query: { id: string } }];
    expect(callback_query).toMatchObject({ data: 'y', from: { id: 7 }, message: { message_id: 1 } });
    await call('answerCallbackQuery', { callback_query_id: callback_query.id, text: 'noted' });
    expect(await client.control('GET', 'queries')).toMatchObject({
      queries: [{ kind: 'callback_query', updateId: 100, chat: 7, from: 7, answer: { text: 'noted' } }],
    });
    expect(await client.control('GET', 'updates?state=answered')).toMatchObject({ updates: [{ id: 100 }] });
    expect(await client.control('POST', 'updates', { press: 'No', chat: 7 })).toMatchObject({
      error: 'there is no button "No" in chat 7; there is Yes',
    });
  });

  it('presses a button with numbers for texts, which the bot gets as texts', async () => {
    const { client, call } = await openTestSandbox();
    const reply_markup = { inline_keyboard: [[{ text: 1, callback_data: 42 }]] };
    const sent = await call('sendMessage', { chat_id: 7, text: 'well?', reply_markup });
    const shown = { inline_keyboard: [[{ text: '1', callback_data: '42' }]] };
    expect(sent.result).toMatchObject({ reply_markup: shown });
    expect(await client.control('POST', 'updates', { press: '42', chat: 7 })).toEqual({ ids: [100] });
    expect(await client.control('POST', 'updates', { press: '1', chat: 7 })).toEqual({ ids: [101] });
    const updates = (await call('getUpdates')).result as { callback_query: object }[];
    expect(updates.map(({ callback_query }) => callback_query)).toMatchObject([
      { data: '42' },
      { data: '42' },
    ]);
    await call('sendMessage', { chat_id: 7, text: 'x', reply_markup: { keyboard: [[{ text: 5 }]] } });
    expect(await client.control('POST', 'updates', { press: '5', chat: 7 })).toEqual({ ids: [102] });
  });

  it('presses a button of a reply keyboard, which says its text', async () => {
    const { client, call } = await openTestSandbox();
    const keyboard = [['plain'], [{ text: 'phone', request_contact: true }]];
    await call('sendMessage', { chat_id: 7, text: 'well?', reply_markup: { keyboard } });
    await client.control('POST', 'updates', { press: 'plain', chat: 7 });
    await client.control('POST', 'updates', { press: 'phone', chat: 7 });
    expect((await call('getUpdates')).result).toMatchObject([
      { message: { text: 'plain', from: { id: 7 } } },
      { message: { contact: { user_id: 7 } } },
    ]);
  });

  it('votes in a poll of the bot', async () => {
    const { client, call } = await openTestSandbox();
    await call('sendPoll', { chat_id: 7, question: 'q', options: ['a', 'b'], is_anonymous: false });
    expect(await client.control('POST', 'updates', { vote: [1], chat: 7, fromId: 8 })).toEqual({
      ids: [100, 101],
    });
    expect((await call('getUpdates')).result).toMatchObject([
      { poll: { total_voter_count: 1, options: [{ voter_count: 0 }, { voter_count: 1 }] } },
      { poll_answer: { user: { id: 8 }, option_ids: [1] } },
    ]);
    expect(await client.control('POST', 'updates', { vote: [0, 1], chat: 7 })).toMatchObject({
      error: 'the poll takes one option',
    });
  });
});
