import { describe, expect, it } from '@jest/globals';
import { SANDBOX_TOKEN } from '../../src/sandbox/sandbox-token.js';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

const OTHER_TOKEN = '7000000001:ANOTHER-SANDBOX-TOKEN-NOT-SECRET000';

const ids = (answer: { result: { update_id: number }[] }) => answer.result.map((update) => update.update_id);

describe('authentication', () => {
  it('accepts any well-formed token as a bot with its own updates', async () => {
    const { sandbox, client, call } = await openTestSandbox();
    expect((await call('getMe')).result).toMatchObject({ id: 7_000_000_000, is_bot: true });
    expect((await client.call(OTHER_TOKEN, 'getMe')).result).toMatchObject({ id: 7_000_000_001 });
    sandbox.bot(OTHER_TOKEN).say('for you');
    expect((await call('getUpdates')).result).toEqual([]);
    expect((await client.call(OTHER_TOKEN, 'getUpdates')).result).toHaveLength(1);
  });

  it('separates the bots of the test environment', async () => {
    const { sandbox, client } = await openTestSandbox();
    sandbox.bot(`${sandbox.token}/test`).say('for the test environment');
    expect((await client.call(`${sandbox.token}/test`, 'getUpdates')).result).toHaveLength(1);
    expect((await client.call(sandbox.token, 'getUpdates')).result).toEqual([]);
  });

  it.each([
    ['no colon', 'nonsense'],
    ['too short', '123:abc'],
    ['no digits before the colon', 'abc:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('responds 404 to a malformed token: %s', async (_, token) => {
    const { client } = await openTestSandbox();
    const answer = await client.send(`/bot${token}/getMe`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, error_code: 404, description: 'Not Found' });
  });

  it('responds 401 to a token that is not on the list', async () => {
    const { sandbox, client } = await openTestSandbox({ tokens: [OTHER_TOKEN] });
    expect(sandbox.token).toBe(OTHER_TOKEN);
    const answer = await client.send(`/bot${SANDBOX_TOKEN}/getMe`);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, error_code: 401, description: 'Unauthorized' });
  });

  it('responds 404 as JSON to an unknown path or method', async () => {
    const { client, call } = await openTestSandbox();
    expect(await client.send('/')).toMatchObject({ status: 404 });
    expect(await call('noSuchMethod')).toEqual({
      ok: false,
      error_code: 404,
      description: 'Not Found: method not found',
    });
  });

  it('refuses a bot for ten minutes after logOut, and ends its poll', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    sandbox.say('too late');
    expect((await call('logOut')).result).toBe(true);
    const refused = { ok: false, error_code: 400, description: 'Logged out' };
    expect(await poll).toEqual(refused);
    expect(await call('getMe')).toEqual(refused);
    await clock.advance(600_000);
    expect((await call('getMe')).ok).toBe(true);
    expect(sandbox.state().queued).toBe(0);
  });
});

describe('getUpdates over HTTP', () => {
  it('delivers and confirms updates', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.say({ text: 'line {n}', count: 3 });
    expect(ids(await call('getUpdates'))).toEqual([100, 101, 102]);
    expect(sandbox.state()).toMatchObject({ queued: 3, confirmedOffset: undefined, nextUpdateId: 103 });
    expect(ids(await call('getUpdates', { offset: 102 }))).toEqual([102]);
    expect(sandbox.state()).toMatchObject({ queued: 1, confirmedOffset: 102, polls: 2 });
  });

  it('wakes a waiting poll', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    sandbox.say('hello');
    await clock.advance(1);
    expect(ids(await poll)).toEqual([100]);
  });

  it('clamps limits and timeouts', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.say({ text: '{n}', count: 150 });
    expect((await call('getUpdates', { offset: 1, limit: 1_000 })).result).toHaveLength(100);
    expect((await call('getUpdates', { offset: 2, limit: 0 })).result).toHaveLength(1);
    expect((await call('getUpdates', { offset: '3', limit: '7', timeout: 'soon' })).result).toHaveLength(7);
  });

  it('keeps a poll waiting after its caller has gone', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const caller = new AbortController();
    const gone = call('getUpdates', { timeout: 50 }, caller.signal);
    await pollWaits(testSandbox);
    caller.abort();
    await expect(gone).rejects.toThrow();
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 0);
    sandbox.say('hello');
    await clock.advance(10);
    // The abandoned poll got the update, which was not lost.
    expect(ids(await call('getUpdates', { offset: 1 }))).toEqual([100]);
  });

  it('responds 409 to the first of two waiting polls', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, call } = testSandbox;
    const first = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    const second = call('getUpdates', { timeout: 50 });
    expect(await first).toEqual({
      ok: false,
      error_code: 409,
      description:
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    });
    expect(sandbox.state()).toMatchObject({ waitingPolls: 1, conflicts: 1 });
    sandbox.addFault({ kind: 'reset', times: 0 });
    await expect(second).rejects.toThrow();
  });
});

describe('allowed_updates', () => {
  const updates = [{ message: {} }, { chat_member: {} }, { callback_query: {} }];

  it('allows all kinds by default except those that must be requested', async () => {
    const { sandbox } = await openTestSandbox();
    expect(sandbox.addUpdates(updates)).toEqual([100, 101]);
    expect(sandbox.state().allowedUpdates).toBeUndefined();
  });

  it('keeps the value of the previous program if it is left out', async () => {
    const { sandbox, call } = await openTestSandbox();
    await call('getUpdates', { allowed_updates: ['chat_member', 'nonsense'] });
    await call('getUpdates', { offset: 1 });
    expect(sandbox.state().allowedUpdates).toEqual(['chat_member']);
    expect(sandbox.addUpdates(updates)).toEqual([100]);
  });

  it('restores the default with an empty list', async () => {
    const { sandbox, call } = await openTestSandbox();
    await call('getUpdates', { allowed_updates: '["poll"]' });
    expect(sandbox.addUpdates(updates)).toEqual([]);
    await call('getUpdates', { offset: 1, allowed_updates: [] });
    expect(sandbox.addUpdates(updates)).toEqual([100, 101]);
  });

  it('does not affect queued updates', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.addUpdates(updates);
    expect((await call('getUpdates', { allowed_updates: ['poll'] })).result).toHaveLength(2);
  });
});

describe('a round trip', () => {
  it('delays the call by one half and the response by the other', async () => {
    const { sandbox, clock, call } = await openTestSandbox({ roundTripMs: 50 });
    const answer = call('sendMessage', { chat_id: 1, text: 'slow' });
    let sent = 0;
    sandbox.onMessage(() => sent++);
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 1);
    await clock.advance(24);
    expect(sent).toBe(0);
    await clock.advance(1);
    expect(sent).toBe(1);
    expect(sandbox.calls()[0]?.answered).toBeUndefined();
    await clock.advance(25);
    expect((await answer).ok).toBe(true);
    expect(sandbox.calls()[0]).toMatchObject({ atMs: 0, answered: { atMs: 50 } });
  });
});
