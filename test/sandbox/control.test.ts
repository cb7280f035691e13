import { describe, expect, it } from '@jest/globals';
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
    ['updates', {}, 'text is missing'],
    ['updates', { updates: 5 }, 'updates must be a list'],
    ['updates', { updates: [{}] }, 'updates[0]: an update needs one kind'],
    ['updates', { updates: [{ callback_query: press }, 1] }, 'updates[1]: an update must be an object'],
    ['updates', { text: 'x', count: 'many' }, 'count must be a number, not "many"'],
    ['updates', { text: 'x', count: -3 }, 'count must be a whole number from 1 to 100000, not -3'],
    ['updates', { text: 'x', count: 2_000_000 }, 'not 2000000'],
    ['updates', { text: 'x', chat: 0 }, 'chat must not be 0'],
    ['updates', { text: 'x', chat: 1.5 }, 'chat must be a whole number'],
    ['updates', { text: 'x', chat: true }, 'chat must be a number'],
    ['updates', { text: 'x', nonsense: 1 }, 'there is no field nonsense; expected bot, text, chat'],
    ['updates', { text: 5 }, 'text must be a text'],
    ['updates', { text: ' ' }, 'text must not be empty'],
    ['updates', { text: 'x'.repeat(4_097) }, 'at most 4096 characters'],
    ['updates', { bot: 'a:b', text: 'x' }, 'Not Found'],
    ['state', {}, 'nextUpdateId (a number) is missing'],
    ['state', { nextUpdateId: 0.5 }, 'nextUpdateId must be a whole number'],
    ['chats', { say: 'x' }, 'say (a list of texts) is missing'],
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
});
