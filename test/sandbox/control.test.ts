import { describe, expect, it } from '@jest/globals';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

const OTHER_TOKEN = '7000000001:ANOTHER-SANDBOX-TOKEN-NOT-SECRET000';

describe('the control API', () => {
  it('adds raw updates', async () => {
    const { client, call } = await openTestSandbox();
    const updates = [{ callback_query: { id: '1' } }, { update_id: 500, poll: { id: '2' } }];
    expect(await client.control('POST', 'updates', { updates })).toEqual({ ids: [100, 500] });
    expect((await call('getUpdates')).result).toEqual([
      { update_id: 100, callback_query: { id: '1' } },
      { update_id: 500, poll: { id: '2' } },
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

  it.each([
    ['POST', 'updates', {}],
    ['POST', 'updates', { updates: [1] }],
    ['POST', 'updates', { text: 'x', count: 'many' }],
    ['POST', 'updates', { text: 5 }],
    ['POST', 'updates', { bot: 'a:b', text: 'x' }],
    ['POST', 'state', {}],
    ['POST', 'chats', { say: 'x' }],
    ['POST', 'faults', { kind: 'nonsense' }],
    ['POST', 'faults', { kind: 'refuse' }],
    ['GET', 'nonsense', undefined],
    ['DELETE', 'state', undefined],
  ])('refuses an invalid request: %s %s %j', async (method, path, content) => {
    const { client, sandbox } = await openTestSandbox();
    expect(await client.control(method, path, content)).toMatchObject({ error: expect.any(String) });
    expect(sandbox.state().queued).toBe(0);
  });
});
