import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

const sendHello = { chat_id: 1, text: 'hello' };

describe('a fault of a call', () => {
  it('429: tells how long to wait, and the call is not executed', async () => {
    const { sandbox, client, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'too-many-requests', retryAfterSeconds: 7, times: 1 });
    const answer = await client.send(`/bot${sandbox.token}/sendMessage?chat_id=1&text=x`);
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
    expect(JSON.parse(answer.body)).toEqual({
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 7',
      parameters: { retry_after: 7 },
    });
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
  });

  it('an error in JSON with any status', async () => {
    const { sandbox, client } = await openTestSandbox();
    sandbox.addFault({ kind: 'error', status: 500, description: 'Internal Server Error' });
    const { status, body } = await client.send(`/bot${sandbox.token}/getMe`);
    expect(status).toBe(500);
    expect(JSON.parse(body)).toEqual({ ok: false, error_code: 500, description: 'Internal Server Error' });
  });

  it.each([502, 404, 200])("a proxy's page with status %i", async (status) => {
    const { sandbox, client } = await openTestSandbox();
    sandbox.addFault({ kind: 'html', status });
    const answer = await client.send(`/bot${sandbox.token}/getMe`);
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'text/html' } });
    expect(answer.body).toMatch(/^<html>/);
  });

  it('a revoked token: 401', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'revoked' });
    expect(await call('getMe')).toEqual({ ok: false, error_code: 401, description: 'Unauthorized' });
  });

  it('a reset connection', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'reset', times: 1 });
    await expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.calls()[0]).toMatchObject({ fault: 'reset' });
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
  });

  it('a truncated response after the call was executed', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'truncated', times: 1 });
    await expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 2 });
  });

  it('a response that is not JSON after the call was executed', async () => {
    const { sandbox, client, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'invalid-json', times: 1 });
    const { status, body } = await client.send(`/bot${sandbox.token}/sendMessage?chat_id=1&text=x`);
    expect(status).toBe(200);
    expect(() => JSON.parse(body)).toThrow();
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 2 });
  });

  it('latency: the call is executed even if its caller gives up', async () => {
    const { sandbox, clock, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'latency', ms: 3_000 });
    const caller = new AbortController();
    const slow = call('sendMessage', sendHello);
    const givenUp = call('sendMessage', sendHello, caller.signal);
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 2);
    caller.abort();
    await expect(givenUp).rejects.toThrow();
    let sent = 0;
    sandbox.onMessage(() => sent++);
    await clock.advance(2_999);
    expect(sent).toBe(0);
    await clock.advance(1);
    expect((await slow).ok).toBe(true);
    expect(sent).toBe(2);
  });
});

it('a call that a fault ends before it arrives is not executed', async () => {
  const { sandbox, clock, call } = await openTestSandbox();
  sandbox.addFault({ kind: 'latency', ms: 3_000, times: 1 });
  const slow = expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 1);
  sandbox.addFault({ kind: 'reset', times: 0 });
  await slow;
  await clock.advance(3_000);
  expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
});

describe('a fault of a waiting poll', () => {
  it.each([
    ['html', { kind: 'html', status: 502 }],
    ['reset', { kind: 'reset' }],
    ['truncated', { kind: 'truncated' }],
    ['invalid-json', { kind: 'invalid-json' }],
  ] as const)('is hit by a new rule: %s', async (_, rule) => {
    const testSandbox = await openTestSandbox();
    const { sandbox, call } = testSandbox;
    const poll = expect(call('getUpdates', { timeout: 50 })).rejects.toThrow();
    await pollWaits(testSandbox);
    sandbox.addFault({ ...rule, method: 'getUpdates', times: 1 });
    await poll;
    expect(sandbox.state().waitingPolls).toBe(0);
    expect(sandbox.faults()).toEqual([]);
  });

  it('ends the poll when the token is revoked', async () => {
    const testSandbox = await openTestSandbox();
    const poll = testSandbox.call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    testSandbox.sandbox.addFault({ kind: 'revoked' });
    expect((await poll).error_code).toBe(401);
  });
});

describe('half-open connections', () => {
  it('stay silent, while new connections work and no update is lost', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const caller = new AbortController();
    let answered = false;
    const poll = call('getUpdates', { timeout: 50 }, caller.signal).finally(() => {
      answered = true;
    });
    await pollWaits(testSandbox);
    sandbox.addFault({ kind: 'half-open', times: 0 });
    expect(sandbox.state().waitingPolls).toBe(0);
    sandbox.say('hello');
    await clock.advance(60_000);
    const [update] = (await call('getUpdates', { offset: 1 })).result as { update_id: number }[];
    expect(update?.update_id).toBe(100);
    expect(answered).toBe(false);
    caller.abort();
    await expect(poll).rejects.toThrow();
  });

  it('ignore later requests, even if they were idle', async () => {
    const { sandbox, call } = await openTestSandbox();
    await call('getMe');
    sandbox.addFault({ kind: 'half-open', times: 0 });
    const caller = new AbortController();
    const unheard = call('sendMessage', sendHello, caller.signal);
    // The idle connection is used again first; what is sent on another one comes through.
    expect((await call('sendMessage', { chat_id: 1, text: 'heard' })).result).toMatchObject({
      message_id: 1,
    });
    expect(sandbox.callCount('sendMessage')).toBe(1);
    caller.abort();
    await expect(unheard).rejects.toThrow();
  });

  it('are all present connections, whatever else the rule applies to', async () => {
    const { sandbox, client, clock } = await openTestSandbox();
    const bots = [1, 2].map((number) => sandbox.bot(`700000000${number}:A-SANDBOX-TOKEN-NOT-SECRET`));
    const caller = new AbortController();
    let answered = 0;
    const polls = bots.map(async ({ token }) => {
      await client.call(token, 'getUpdates', { timeout: 50 }, caller.signal);
      answered++;
    });
    const waiting = () => bots.reduce((sum, bot) => sum + bot.state().waitingPolls, 0);
    await sandbox.waitFor(() => waiting() === 2);
    sandbox.addFault({ kind: 'half-open', times: 1 });
    expect(waiting()).toBe(0);
    for (const bot of bots) bot.addUpdates([{ message: {} }]);
    await clock.advance(10);
    const over = Promise.allSettled(polls);
    expect((await client.call(sandbox.token, 'getMe')).ok).toBe(true);
    caller.abort();
    expect((await over).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(answered).toBe(0);
  });

  it('can be limited to certain requests', async () => {
    const { sandbox, call } = await openTestSandbox();
    sandbox.addFault({ kind: 'half-open', method: 'sendMessage', times: 1 });
    const caller = new AbortController();
    const unheard = call('sendMessage', sendHello, caller.signal);
    await sandbox.waitFor(() => sandbox.faults().length === 0);
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
    caller.abort();
    await expect(unheard).rejects.toThrow();
  });
});

describe('a server that refuses connections', () => {
  it('resets present connections, and listens on the same port afterwards', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const { port } = sandbox;
    const poll = expect(call('getUpdates', { timeout: 50 })).rejects.toMatchObject({ code: 'ECONNRESET' });
    await pollWaits(testSandbox);
    sandbox.addFault({ kind: 'refuse', forMs: 5_000 });
    await poll;
    await expect(call('getMe')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await clock.advance(5_000);
    expect((await call('getMe')).ok).toBe(true);
    expect(sandbox.port).toBe(port);
  });

  it('listens again when the rule is removed, and closes with the sandbox', async () => {
    const { sandbox, call } = await openTestSandbox();
    const id = sandbox.addFault({ kind: 'refuse' });
    sandbox.removeFaults(id);
    expect((await call('getMe')).ok).toBe(true);
    sandbox.addFault({ kind: 'refuse' });
    await sandbox.close();
  });
});

describe('a second poller', () => {
  it('ends the polls of the bot until the rule ends', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const first = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    sandbox.addFault({ kind: 'rival', forMs: 6_000 });
    expect((await first).error_code).toBe(409);
    const second = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    // The rival hears of it after the 3 s for which a second 409 is held, rests for 1 s, and polls again.
    await clock.advance(4_000);
    expect((await second).error_code).toBe(409);
    const third = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    await clock.advance(30_000);
    expect(sandbox.state()).toMatchObject({ waitingPolls: 1, conflicts: 2 });
    sandbox.say('still here');
    await clock.advance(2);
    expect((await third).result).toHaveLength(1);
  });

  it('takes no updates away unless it confirms them', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    sandbox.say({ text: '{n}', count: 3 });
    const id = sandbox.addFault({ kind: 'rival' });
    await clock.advance(10_000);
    expect(sandbox.state().queued).toBe(3);
    // Removed in the rest between two polls: there is no other.
    sandbox.removeFaults(id);
    const poll = call('getUpdates', { offset: 103, timeout: 50 });
    await pollWaits(testSandbox);
    await clock.advance(10_000);
    expect(sandbox.state()).toMatchObject({ waitingPolls: 1, conflicts: 0 });
    sandbox.say({ text: '{n}', count: 3 });
    await clock.advance(1);
    expect((await poll).result).toHaveLength(3);
    sandbox.addFault({ kind: 'rival', confirms: true });
    await clock.advance(2_000);
    expect(sandbox.state().queued).toBe(0);
  });
});

it('survives a client that does not speak HTTP', async () => {
  const { sandbox, call } = await openTestSandbox();
  const socket = connect(sandbox.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.end('nonsense\r\n\r\n');
  await closed;
  expect((await call('getMe')).ok).toBe(true);
});
