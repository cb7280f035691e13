import { get } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { BotLog } from '../../src/sandbox/bot-log.js';
import type { News } from '../../src/sandbox/page-protocol.js';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

const json = { 'content-type': 'application/json' };
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Follows the events of a sandbox. `until` resolves to all news so far, once they pass a test. */
async function follow(apiRoot: string) {
  const events: { readonly name: string; readonly news: News }[] = [];
  const waits = new Set<() => void>();
  const request = get(`${apiRoot}/sandbox/events`, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        events.push({ name, news: JSON.parse(data) });
      }
      for (const look of waits) look();
    });
    response.on('error', () => {});
  });
  request.on('error', () => {});
  closing.push(() => request.destroy());
  const until = (test: (news: readonly News[]) => boolean): Promise<readonly News[]> =>
    new Promise((resolve) => {
      const look = () => {
        const news = events.map((event) => event.news);
        if (!test(news)) return;
        waits.delete(look);
        resolve(news);
      };
      waits.add(look);
      look();
    });
  await until((news) => news.length > 0);
  return { events, until, close: () => request.destroy() };
}

const all = <Name extends keyof News>(news: readonly News[], name: Name) =>
  news.flatMap(
    (one) => (one[name] ?? []) as NonNullable<News[Name]> extends readonly (infer T)[] ? T : never,
  );

describe('the events', () => {
  it('begin with everything, and go on with what has changed', async () => {
    const opened = await openTestSandbox();
    const { sandbox, call } = opened;
    sandbox.say({ chat: 1, from: 'Ada', text: 'early' });
    const { events, until } = await follow(sandbox.apiRoot);
    expect(events[0]).toMatchObject({
      name: 'snapshot',
      news: {
        bot: { id: sandbox.id, queued: 1, isPolling: false },
        chats: [{ id: 1, title: 'Ada', people: [{ id: 1, name: 'Ada' }] }],
        messages: [{ chat: 1, message: { text: 'early' } }],
        updates: [{ id: 100, state: 'waiting' }],
        calls: [],
        faults: [],
      },
    });

    await call('getUpdates', { offset: 100 });
    await until((news) => all(news, 'updates').some(({ state }) => state === 'delivered'));
    // It ends with the sandbox.
    call('getUpdates', { offset: 101, timeout: 50 }).catch(() => {});
    await pollWaits(opened);
    await until((news) => all(news, 'updates').some(({ state }) => state === 'confirmed'));
    await call('sendMessage', { chat_id: 1, text: 'late' });
    const news = await until((known) =>
      all(known, 'calls').some(({ response }) => response?.includes('late') ?? false),
    );
    expect(news.findLast(({ bot }) => bot)?.bot).toMatchObject({ isPolling: true, confirmedOffset: 101 });
    expect(all(news, 'updates').at(-1)).toMatchObject({
      state: 'confirmed',
      confirmedBy: 101,
      answerCount: 1,
    });
    expect(all(news, 'messages').at(-1)).toMatchObject({ message: { text: 'late' } });
    expect(events.slice(1).every(({ name }) => name === 'changes')).toBe(true);
  });

  it('tell of deletions, keyboards, presses and faults', async () => {
    const { sandbox, call } = await openTestSandbox();
    const { until } = await follow(sandbox.apiRoot);
    const keyboard = { inline_keyboard: [[{ text: 'Yes', callback_data: 'y' }]] };
    await call('sendMessage', { chat_id: 1, text: 'sure?', reply_markup: keyboard });
    await call('sendMessage', { chat_id: 1, text: 'below', reply_markup: { keyboard: [['A']] } });
    await until((news) => all(news, 'chats').some(({ replyMarkup }) => replyMarkup !== undefined));

    sandbox.press({ chat: 1, button: 'y' });
    const [query] = sandbox.queries();
    await call('answerCallbackQuery', { callback_query_id: query?.id, text: 'Done', show_alert: true });
    const news = await until((known) => all(known, 'presses').length > 0);
    expect(all(news, 'presses')).toMatchObject([{ id: query?.id, answer: { text: 'Done', alert: true } }]);

    await call('deleteMessage', { chat_id: 1, message_id: 1 });
    await until((known) => all(known, 'deleted').length > 0);
    sandbox.addFault({ kind: 'latency', ms: 1, forMs: 5_000 });
    const later = await until((known) => all(known, 'faults').length > 0);
    expect(all(later, 'faults')).toMatchObject([
      { rule: { kind: 'latency' }, hits: 0, endsAtMs: expect.any(Number) },
    ]);
  });
});

describe('the log of the bot', () => {
  const state = {
    command: 'lastcall run bot.js',
    status: 'running',
    pid: 7,
    startedAtMs: 0,
    starts: 1,
  } as const;

  it('comes with the events: the newest lines at first, and then each', async () => {
    const { sandbox } = await openTestSandbox();
    const log = new BotLog();
    log.add({ source: 'stdout', level: 'info', text: 'early' });
    sandbox.attachProcess({
      state,
      get log() {
        return log.lines;
      },
      signal() {},
      restart() {},
      onChange() {},
      onLine: (listener) => log.onLine(listener),
    });
    const { events, until } = await follow(sandbox.apiRoot);
    expect(events[0]?.news).toMatchObject({ process: state, log: [{ number: 1, text: 'early' }] });
    // However much a bot writes, an event has no more than the newest lines.
    for (let number = 2; number <= 3_000; number++) log.add({ source: 'stderr', text: `line ${number}` });
    const news = await until((known) => all(known, 'log').at(-1)?.number === 3_000);
    expect(all(news, 'log').length).toBeLessThanOrEqual(501);
  });
});

describe('the page', () => {
  it('is served with a policy that lets it load nothing else', async () => {
    const { client } = await openTestSandbox();
    const { status, headers, body } = await client.send('/', { method: 'GET' });
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    for (const [, path = ''] of body.matchAll(/href="(\/page\/[^"]+)"/g))
      expect((await client.send(path, { method: 'GET' })).status).toBe(200);
    for (const path of ['/page/none.js', '/page/../control/routes.ts', '/page/%2e%2e%2fserver.ts'])
      expect((await client.send(path, { method: 'GET' })).status).toBeGreaterThanOrEqual(400);
  });

  it.each([
    ['/', 'GET'],
    ['/page/base.css', 'GET'],
    ['/sandbox/events', 'GET'],
    ['/sandbox/page/file?id=x', 'GET'],
    ['/sandbox/page/say', 'POST'],
    ['/sandbox/page/file?chat=1&name=a&type=', 'POST'],
    ['/sandbox/page/inline', 'POST'],
    ['/sandbox/page/process', 'POST'],
    ['/sandbox/page/call', 'POST'],
  ])('refuses foreign pages and hosts at %s', async (path, method) => {
    const { client, sandbox } = await openTestSandbox();
    for (const headers of [
      { host: 'other.example' },
      { origin: 'http://other.example' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect(
        (
          await client.send(path, {
            method,
            headers,
            ...(method === 'POST' && { body: '{"chat":1,"text":"x"}' }),
          })
        ).status,
      ).toBe(403);
    expect(sandbox.state().queued).toBe(0);
  });

  it('says what is wrong with an action', async () => {
    const { client } = await openTestSandbox();
    const act = async (name: string, fields: object) =>
      JSON.parse(
        (await client.send(`/sandbox/page/${name}`, { headers: json, body: JSON.stringify(fields) })).body,
      );
    expect(await act('say', { chat: 1 })).toMatchObject({
      error: expect.stringContaining('text is missing'),
    });
    expect(await act('fly', {})).toMatchObject({ error: expect.stringContaining("no action 'fly'") });
    expect(await act('group', { title: 'Team' })).toMatchObject({
      error: expect.stringContaining('Add a person first'),
    });
    expect(await act('process', { do: 'SIGKILL' })).toMatchObject({
      error: expect.stringContaining('lastcall sandbox -- bot.js'),
    });
    expect(await act('react', { chat: 1, message: 1, emoji: '👍' })).toMatchObject({
      dropped: expect.stringContaining('message_reaction'),
    });
  });

  it('sends a call of the bot again, with other parameters', async () => {
    const { client, sandbox } = await openTestSandbox();
    const repeat = async (parameters: string) => {
      const body = JSON.stringify({ method: 'sendMessage', parameters });
      return JSON.parse((await client.send('/sandbox/page/call', { headers: json, body })).body);
    };
    expect(await repeat('{"chat_id":1,"text":"again"}')).toEqual({ status: 200 });
    expect(await repeat('{"chat_id":1}')).toEqual({ status: 400 });
    expect(await repeat('[1]')).toMatchObject({ error: 'The parameters must be a JSON object.' });
    expect(sandbox.messages(1)).toMatchObject([{ message: { text: 'again' } }]);
    sandbox.addFault({ kind: 'reset' });
    expect(await repeat('{}')).toEqual({});
  });
});
