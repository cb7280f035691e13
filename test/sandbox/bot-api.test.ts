import { describe, expect, it } from '@jest/globals';
import { SANDBOX_TOKEN } from '../../src/sandbox/sandbox.js';
import { hosted, pollWaits } from './hosted.js';

const OTHER_TOKEN = '7000000001:ANOTHER-SANDBOX-TOKEN-NOT-SECRET000';

const ids = (answer: { result: { update_id: number }[] }) => answer.result.map((update) => update.update_id);

describe('who may call', () => {
  it('any well-formed token is a bot of its own, with its own updates', async () => {
    const { sandbox, client, call } = await hosted();
    expect((await call('getMe')).result).toMatchObject({ id: 7_000_000_000, is_bot: true });
    expect((await client.call(OTHER_TOKEN, 'getMe')).result).toMatchObject({ id: 7_000_000_001 });
    sandbox.bot(OTHER_TOKEN).say('for you');
    expect((await call('getUpdates')).result).toEqual([]);
    expect((await client.call(OTHER_TOKEN, 'getUpdates')).result).toHaveLength(1);
  });

  it('the test environment has bots of its own', async () => {
    const { sandbox, client } = await hosted();
    sandbox.bot(`${sandbox.token}/test`).say('for the test environment');
    expect((await client.call(`${sandbox.token}/test`, 'getUpdates')).result).toHaveLength(1);
    expect((await client.call(sandbox.token, 'getUpdates')).result).toEqual([]);
  });

  it.each([
    ['no colon', 'nonsense'],
    ['too short', '123:abc'],
    ['no digits before the colon', 'abc:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('a malformed token is not found: %s', async (_, token) => {
    const { client } = await hosted();
    const answer = await client.send(`/bot${token}/getMe`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, error_code: 404, description: 'Not Found' });
  });

  it('a token that is not on the list is unauthorized', async () => {
    const { sandbox, client } = await hosted({ tokens: [OTHER_TOKEN] });
    expect(sandbox.token).toBe(OTHER_TOKEN);
    const answer = await client.send(`/bot${SANDBOX_TOKEN}/getMe`);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.body)).toEqual({ ok: false, error_code: 401, description: 'Unauthorized' });
  });

  it('a path or method that does not exist is not found, as JSON', async () => {
    const { client, call } = await hosted();
    expect(await client.send('/')).toMatchObject({ status: 404 });
    expect(await call('noSuchMethod')).toEqual({
      ok: false,
      error_code: 404,
      description: 'Not Found: method not found',
    });
  });

  it('a bot that has logged out is refused for ten minutes, its poll with it', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
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

describe('how parameters come', () => {
  const sent = { chat_id: 5, text: 'grüß dich & co' };

  it('in the query string of a GET', async () => {
    const { sandbox, client } = await hosted();
    const { body } = await client.send(
      `/bot${sandbox.token}/sendMessage?chat_id=5&text=gr%C3%BC%C3%9F+dich+%26+co`,
      { method: 'GET' },
    );
    expect(JSON.parse(body).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('as a form', async () => {
    const { sandbox, client } = await hosted();
    const { body } = await client.send(`/bot${sandbox.token}/sendMessage`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({ chat_id: '5', text: sent.text }).toString(),
    });
    expect(JSON.parse(body).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('as JSON', async () => {
    const { call } = await hosted();
    expect((await call('sendMessage', sent)).result).toMatchObject({ chat: { id: 5 }, text: sent.text });
  });

  it('in several parts, files among them', async () => {
    const { sandbox, client } = await hosted();
    const form = new FormData();
    form.set('method', 'sendDocument');
    form.set('chat_id', '5');
    form.set('caption', sent.text);
    form.set('document', new Blob([new Uint8Array([0, 13, 10, 255])]), 'raw.bin');
    const asRequest = new Request('http://form', { method: 'POST', body: form });
    const answer = await client.send(`/bot${sandbox.token}/sendDocument`, {
      headers: { 'content-type': asRequest.headers.get('content-type') ?? '' },
      body: Buffer.from(await asRequest.arrayBuffer()),
    });
    expect(JSON.parse(answer.body).result).toMatchObject({
      caption: sent.text,
      document: { file_name: 'raw.bin', file_size: 4 },
    });
    expect(sandbox.calls()[0]?.parameters).toMatchObject({ document: { fileName: 'raw.bin', size: 4 } });
  });

  it('are refused where they are not JSON but should be', async () => {
    const { sandbox, client } = await hosted();
    const { status } = await client.send(`/bot${sandbox.token}/getMe`, {
      headers: { 'content-type': 'application/json' },
      body: '{nonsense',
    });
    expect(status).toBe(400);
  });

  it('are recorded, with their times, and never the token', async () => {
    const { sandbox, clock, call } = await hosted();
    await clock.advance(500);
    await call('sendMessage', sent);
    expect(sandbox.calls({ method: 'sendmessage' })).toEqual([
      {
        number: 1,
        atMs: 500,
        bot: 7_000_000_000,
        method: 'sendMessage',
        parameters: sent,
        answered: { atMs: 500, status: 200 },
      },
    ]);
    expect(JSON.stringify(sandbox.calls())).not.toContain(sandbox.token);
    expect(sandbox.callCount('SENDMESSAGE')).toBe(1);
    expect(sandbox.calls({ since: 1 })).toEqual([]);
  });

  it('are recorded of the newest calls only', async () => {
    const { sandbox, call } = await hosted({ recordedCalls: 5 });
    for (let count = 0; count < 23; count++) await call('getMe');
    const numbers = sandbox.calls().map(({ number }) => number);
    expect(numbers.length).toBeLessThan(10);
    expect(numbers.slice(-5)).toEqual([19, 20, 21, 22, 23]);
    expect(sandbox.state().calls).toEqual({ getMe: 23 });
  });
});

describe('getUpdates over HTTP', () => {
  it('delivers, confirms and forgets', async () => {
    const { sandbox, call } = await hosted();
    sandbox.say({ text: 'line {n}', count: 3 });
    expect(ids(await call('getUpdates'))).toEqual([100, 101, 102]);
    expect(sandbox.state()).toMatchObject({ queued: 3, confirmedOffset: undefined, nextUpdateId: 103 });
    expect(ids(await call('getUpdates', { offset: 102 }))).toEqual([102]);
    expect(sandbox.state()).toMatchObject({ queued: 1, confirmedOffset: 102, polls: 2 });
  });

  it('wakes a poll that waits', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    sandbox.say('hello');
    await clock.advance(1);
    expect(ids(await poll)).toEqual([100]);
  });

  it('takes limits and timeouts for what they can be', async () => {
    const { sandbox, call } = await hosted();
    sandbox.say({ text: '{n}', count: 150 });
    expect((await call('getUpdates', { offset: 1, limit: 1_000 })).result).toHaveLength(100);
    expect((await call('getUpdates', { offset: 2, limit: 0 })).result).toHaveLength(1);
    expect((await call('getUpdates', { offset: '3', limit: '7', timeout: 'soon' })).result).toHaveLength(7);
  });

  it('lets a poll keep its place when its caller has gone', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const caller = new AbortController();
    const gone = call('getUpdates', { timeout: 50 }, caller.signal);
    await pollWaits(hostedBot);
    caller.abort();
    await expect(gone).rejects.toThrow();
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 0);
    sandbox.say('hello');
    await clock.advance(10);
    // Answered into the void, and not lost.
    expect(ids(await call('getUpdates', { offset: 1 }))).toEqual([100]);
  });

  it('answers 409 to the first of two that wait', async () => {
    const hostedBot = await hosted();
    const { sandbox, call } = hostedBot;
    const first = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
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

describe('what a bot listens to', () => {
  const updates = [{ message: {} }, { chat_member: {} }, { callback_query: {} }];

  it('is, by default, all but what must be asked for', async () => {
    const { sandbox } = await hosted();
    expect(sandbox.addUpdates(updates)).toEqual([100, 101]);
    expect(sandbox.state().allowedUpdates).toBeUndefined();
  });

  it('is kept from the previous program where it is left out', async () => {
    const { sandbox, call } = await hosted();
    await call('getUpdates', { allowed_updates: ['chat_member', 'nonsense'] });
    await call('getUpdates', { offset: 1 });
    expect(sandbox.state().allowedUpdates).toEqual(['chat_member']);
    expect(sandbox.addUpdates(updates)).toEqual([100]);
  });

  it('is the default again with an empty list', async () => {
    const { sandbox, call } = await hosted();
    await call('getUpdates', { allowed_updates: '["poll"]' });
    expect(sandbox.addUpdates(updates)).toEqual([]);
    await call('getUpdates', { offset: 1, allowed_updates: [] });
    expect(sandbox.addUpdates(updates)).toEqual([100, 101]);
  });

  it('does not change what waits already', async () => {
    const { sandbox, call } = await hosted();
    sandbox.addUpdates(updates);
    expect((await call('getUpdates', { allowed_updates: ['poll'] })).result).toHaveLength(2);
  });
});

describe('a webhook', () => {
  const url = 'https://bot.example/hook';

  it('stops polling: the poll that waits, and those to come', async () => {
    const hostedBot = await hosted();
    const { clock, call } = hostedBot;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    expect(await call('setWebhook', { url })).toEqual({
      ok: true,
      result: true,
      description: 'Webhook was set',
    });
    expect(await poll).toMatchObject({
      error_code: 409,
      description: 'Conflict: terminated by setWebhook request',
    });
    const refused = call('getUpdates');
    await hostedBot.sandbox.waitFor(() => hostedBot.sandbox.state().conflicts === 2);
    await clock.advance(3_000);
    expect(await refused).toMatchObject({
      error_code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
  });

  it('is shown, with the number of updates that wait', async () => {
    const { sandbox, call } = await hosted();
    await call('setWebhook', { url, allowed_updates: ['message'] });
    sandbox.say({ text: '{n}', count: 3 });
    expect((await call('getWebhookInfo')).result).toEqual({
      url,
      has_custom_certificate: false,
      pending_update_count: 3,
      max_connections: 40,
      allowed_updates: ['message'],
    });
  });

  it('is deleted, and what waits with it when asked', async () => {
    const { sandbox, call } = await hosted();
    await call('setWebhook', { url });
    sandbox.say({ text: '{n}', count: 3 });
    expect(await call('deleteWebhook')).toMatchObject({ result: true, description: 'Webhook was deleted' });
    expect(sandbox.state().queued).toBe(3);
    expect(await call('deleteWebhook', { drop_pending_updates: true })).toMatchObject({
      description: 'Webhook is already deleted',
    });
    expect(sandbox.state()).toMatchObject({ queued: 0, webhookUrl: '' });
  });

  it('can be set once a second, and only to an https URL', async () => {
    const { client, clock, sandbox, call } = await hosted();
    expect(await call('setWebhook', { url: 'http://bot.example' })).toMatchObject({ error_code: 400 });
    const tooSoon = await client.send(`/bot${sandbox.token}/setWebhook?url=${url}`);
    expect(tooSoon).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(JSON.parse(tooSoon.body)).toEqual({
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 1',
      parameters: { retry_after: 1 },
    });
    await clock.advance(1_000);
    expect((await call('setWebhook', { url })).ok).toBe(true);
  });
});

describe('sending', () => {
  it('makes a message, with its number, and what it replies to', async () => {
    const { sandbox, call } = await hosted();
    sandbox.say({ chat: -5, text: '/start now' });
    const [update] = (await call('getUpdates')).result as { message: { message_id: number } }[];
    expect(update).toMatchObject({
      message: {
        chat: { id: -5, type: 'group' },
        text: '/start now',
        entities: [{ type: 'bot_command', offset: 0, length: 6 }],
      },
    });
    const messageId = update?.message.message_id;
    const answer = await call('sendMessage', {
      chat_id: -5,
      text: 'hello',
      reply_parameters: { message_id: messageId },
    });
    expect(answer.result).toMatchObject({
      message_id: 2,
      from: { is_bot: true },
      chat: { id: -5 },
      text: 'hello',
      reply_to_message: { message_id: messageId, text: '/start now' },
    });
  });

  it.each([
    ['no chat', { text: 'x' }, 'Bad Request: chat_id is empty'],
    ['no such chat', { chat_id: 'x', text: 'x' }, 'Bad Request: chat not found'],
    ['no text', { chat_id: 1, text: ' ' }, 'Bad Request: message text is empty'],
    ['too much text', { chat_id: 1, text: 'x'.repeat(4_097) }, 'Bad Request: message is too long'],
  ])('is refused: %s', async (_, parameters, description) => {
    const { call } = await hosted();
    expect(await call('sendMessage', parameters)).toEqual({ ok: false, error_code: 400, description });
  });

  it('an edit changes the message, unless nothing would change', async () => {
    const { call } = await hosted();
    await call('sendMessage', { chat_id: 1, text: 'one' });
    const edit = { chat_id: 1, message_id: 1, text: 'two' };
    expect((await call('editMessageText', edit)).result).toMatchObject({ message_id: 1, text: 'two' });
    expect((await call('editMessageText', edit)).description).toMatch(
      /^Bad Request: message is not modified/,
    );
    const keyboard = { inline_keyboard: [[{ text: 'x', callback_data: 'y' }]] };
    expect(
      (await call('editMessageReplyMarkup', { ...edit, reply_markup: JSON.stringify(keyboard) })).result,
    ).toMatchObject({ text: 'two', reply_markup: keyboard });
  });

  it('copies, forwards and deletes', async () => {
    const { call } = await hosted();
    await call('sendPhoto', { chat_id: 1, photo: 'file-id', caption: 'look' });
    const source = { chat_id: 2, from_chat_id: 1, message_id: 1 };
    expect((await call('copyMessage', source)).result).toEqual({ message_id: 2 });
    expect((await call('forwardMessage', source)).result).toMatchObject({
      chat: { id: 2 },
      caption: 'look',
      photo: [{ file_id: 'file-id' }],
    });
    expect((await call('deleteMessage', { chat_id: 1, message_id: 1 })).result).toBe(true);
  });

  it.each(['sendChatAction', 'answerCallbackQuery', 'answerInlineQuery', 'setMessageReaction', 'close'])(
    '%s is acknowledged',
    async (method) => {
      const { call } = await hosted();
      expect(await call(method, { chat_id: 1 })).toEqual({ ok: true, result: true });
    },
  );

  it('keeps the commands of a bot', async () => {
    const { call } = await hosted();
    const commands = [{ command: 'start', description: 'begin' }];
    await call('setMyCommands', { commands });
    expect((await call('getMyCommands')).result).toEqual(commands);
  });
});

describe('a round trip', () => {
  it('takes its time, one half before the call has its effect', async () => {
    const { sandbox, clock, call } = await hosted({ roundTripMs: 50 });
    const answer = call('sendMessage', { chat_id: 1, text: 'slow' });
    let sent = 0;
    sandbox.watch(({ event }) => {
      if (event === 'message.sent') sent++;
    });
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

describe('the end', () => {
  it('cuts every connection and rejects every wait', async () => {
    const hostedBot = await hosted();
    const { sandbox, clock, call } = hostedBot;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(hostedBot);
    const wait = sandbox.waitFor(() => false);
    const [pollEnd, waitEnd] = [expect(poll).rejects.toThrow(), expect(wait).rejects.toThrow('closed')];
    await sandbox.close();
    await Promise.all([pollEnd, waitEnd]);
    expect(clock.pending).toBe(0);
  });

  it('a wait in vain ends with a look at the state', async () => {
    const { sandbox, clock } = await hosted();
    const wait = expect(sandbox.waitFor(() => false, 700)).rejects.toThrow(/700 ms in vain.*"queued":0/);
    await clock.advance(700);
    await wait;
  });
});
