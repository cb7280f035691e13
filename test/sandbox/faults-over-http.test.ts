import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { hosted, pollWaits } from './hosted.js';

const sendHello = { chat_id: 1, text: 'hello' };

describe('a call that fares badly', () => {
  it('429: says how long to wait, and is not executed', async () => {
    const { sandbox, client, call } = await hosted();
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

  it("an error of the server's own, with any status", async () => {
    const { sandbox, client } = await hosted();
    sandbox.addFault({ kind: 'error', status: 500, description: 'Internal Server Error' });
    const { status, body } = await client.send(`/bot${sandbox.token}/getMe`);
    expect(status).toBe(500);
    expect(JSON.parse(body)).toEqual({ ok: false, error_code: 500, description: 'Internal Server Error' });
  });

  it.each([502, 404, 200])("a proxy's page with status %i", async (status) => {
    const { sandbox, client } = await hosted();
    sandbox.addFault({ kind: 'html', status });
    const answer = await client.send(`/bot${sandbox.token}/getMe`);
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'text/html' } });
    expect(answer.body).toMatch(/^<html>/);
  });

  it('a revoked token: 401', async () => {
    const { sandbox, call } = await hosted();
    sandbox.addFault({ kind: 'revoked' });
    expect(await call('getMe')).toEqual({ ok: false, error_code: 401, description: 'Unauthorized' });
  });

  it('a reset connection', async () => {
    const { sandbox, call } = await hosted();
    sandbox.addFault({ kind: 'reset', times: 1 });
    await expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.calls()[0]).toMatchObject({ fault: 'reset' });
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
  });

  it('an answer cut off in the middle, executed', async () => {
    const { sandbox, call } = await hosted();
    sandbox.addFault({ kind: 'truncated', times: 1 });
    await expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 2 });
  });

  it('an answer that is not JSON, executed', async () => {
    const { sandbox, client, call } = await hosted();
    sandbox.addFault({ kind: 'invalid-json', times: 1 });
    const { status, body } = await client.send(`/bot${sandbox.token}/sendMessage?chat_id=1&text=x`);
    expect(status).toBe(200);
    expect(() => JSON.parse(body)).toThrow();
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 2 });
  });

  it('a call that takes long, and is executed although its caller gave up', async () => {
    const { sandbox, clock, call } = await hosted();
    sandbox.addFault({ kind: 'latency', ms: 3_000 });
    const caller = new AbortController();
    const slow = call('sendMessage', sendHello);
    const givenUp = call('sendMessage', sendHello, caller.signal);
    await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 2);
    caller.abort();
    await expect(givenUp).rejects.toThrow();
    let sent = 0;
    sandbox.watch(({ event }) => {
      if (event === 'message.sent') sent++;
    });
    await clock.advance(2_999);
    expect(sent).toBe(0);
    await clock.advance(1);
    expect((await slow).ok).toBe(true);
    expect(sent).toBe(2);
  });
});

it('a call that meets its end on the way in is not executed', async () => {
  const { sandbox, clock, call } = await hosted();
  sandbox.addFault({ kind: 'latency', ms: 3_000, times: 1 });
  const slow = expect(call('sendMessage', sendHello)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await sandbox.waitFor(() => sandbox.callCount('sendMessage') === 1);
  sandbox.addFault({ kind: 'reset', times: 0 });
  await slow;
  await clock.advance(3_000);
  expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
});

describe('a poll that waits', () => {
  it.each([
    ['html', { kind: 'html', status: 502 }],
    ['reset', { kind: 'reset' }],
    ['truncated', { kind: 'truncated' }],
    ['invalid-json', { kind: 'invalid-json' }],
  ] as const)('is hit by a new rule: %s', async (_, rule) => {
    const hostedBot = await hosted();
    const { sandbox, call } = hostedBot;
    const poll = expect(call('getUpdates', { timeout: 50 })).rejects.toThrow();
    await pollWaits(hostedBot);
    sandbox.addFault({ ...rule, method: 'getUpdates', times: 1 });
    await poll;
    expect(sandbox.state().waitingPolls).toBe(0);
    expect(sandbox.faults()).toEqual([]);
  });

  it('is refused when the token is revoked', async () => {
    const hostedBot = await hosted();
    const poll = hostedBot.call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    hostedBot.sandbox.addFault({ kind: 'revoked' });
    expect((await poll).error_code).toBe(401);
  });
});

describe('half-open connections', () => {
  it('go silent for ever; new ones work; and no update is lost', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const caller = new AbortController();
    let answered = false;
    const poll = call('getUpdates', { timeout: 50 }, caller.signal).finally(() => {
      answered = true;
    });
    await pollWaits(hostedBot);
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

  it('hear nothing more of what is sent on them, idle as they were', async () => {
    const { sandbox, call } = await hosted();
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

  it('are all that exist, whatever the rule is to hit later', async () => {
    const { sandbox, client, clock } = await hosted();
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

  it('can be had for certain requests', async () => {
    const { sandbox, call } = await hosted();
    sandbox.addFault({ kind: 'half-open', method: 'sendMessage', times: 1 });
    const caller = new AbortController();
    const unheard = call('sendMessage', sendHello, caller.signal);
    await sandbox.waitFor(() => sandbox.faults().length === 0);
    expect((await call('sendMessage', sendHello)).result).toMatchObject({ message_id: 1 });
    caller.abort();
    await expect(unheard).rejects.toThrow();
  });
});

describe('a port where nobody listens', () => {
  it('refuses, resets what there was, and is the same port afterwards', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const { port } = sandbox;
    const poll = expect(call('getUpdates', { timeout: 50 })).rejects.toMatchObject({ code: 'ECONNRESET' });
    await pollWaits(hostedBot);
    sandbox.addFault({ kind: 'refuse', forMs: 5_000 });
    await poll;
    await expect(call('getMe')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await clock.advance(5_000);
    expect((await call('getMe')).ok).toBe(true);
    expect(sandbox.port).toBe(port);
  });

  it('ends early when the rule is removed, and with the sandbox', async () => {
    const { sandbox, call } = await hosted();
    const id = sandbox.addFault({ kind: 'refuse' });
    sandbox.removeFaults(id);
    expect((await call('getMe')).ok).toBe(true);
    sandbox.addFault({ kind: 'refuse' });
    await sandbox.close();
  });
});

describe('a rival poller', () => {
  it('ends the poll of the bot, again and again, until its time is over', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const first = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    sandbox.addFault({ kind: 'second-poller', forMs: 6_000 });
    expect((await first).error_code).toBe(409);
    const second = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    // The rival hears of it after the 3 s for which a second 409 is held, rests for 1 s, and polls again.
    await clock.advance(4_000);
    expect((await second).error_code).toBe(409);
    const third = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    await clock.advance(30_000);
    expect(sandbox.state()).toMatchObject({ waitingPolls: 1, conflicts: 2 });
    sandbox.say('still here');
    await clock.advance(2);
    expect((await third).result).toHaveLength(1);
  });

  it('takes nothing away, unless it confirms', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    sandbox.say({ text: '{n}', count: 3 });
    const id = sandbox.addFault({ kind: 'second-poller' });
    await clock.advance(10_000);
    expect(sandbox.state().queued).toBe(3);
    // Removed in the rest between two polls: there is no other.
    sandbox.removeFaults(id);
    const poll = call('getUpdates', { offset: 103, timeout: 50 });
    await pollWaits(hostedBot);
    await clock.advance(10_000);
    expect(sandbox.state()).toMatchObject({ waitingPolls: 1, conflicts: 0 });
    sandbox.say({ text: '{n}', count: 3 });
    await clock.advance(1);
    expect((await poll).result).toHaveLength(3);
    sandbox.addFault({ kind: 'second-poller', confirms: true });
    await clock.advance(2_000);
    expect(sandbox.state().queued).toBe(0);
  });
});

it('survives what is no HTTP', async () => {
  const { sandbox, call } = await hosted();
  const socket = connect(sandbox.port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.end('nonsense\r\n\r\n');
  await closed;
  expect((await call('getMe')).ok).toBe(true);
});
