/** What is handled in which order: albums whole, queries at once, and the rest by chat, by user, or as the bot says. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture } from '../support/daemon.js';
import { allAnswered, answers, openSandbox, runBot, runProgram, type TestBed } from '../support/delivery.js';
import { PostgresServer } from '../support/postgres.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(60_000);

const inboxes = ['journal', 'memory', 'postgres'];

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

/** The setting of an inbox, in a database of its own if it is in one. */
const settingOf = async (inbox: string) => (inbox === 'postgres' ? server.createDatabase() : inbox);

/** The photos of an album, from one message id up to another. */
function photos(chat: number, from: number, to: number): Record<string, unknown>[] {
  return Array.from({ length: to - from + 1 }, (_, n) => ({
    message: {
      message_id: chat * 100 + from + n,
      date: 1,
      chat: { id: chat, type: 'private', first_name: 'Ann' },
      from: { id: chat, is_bot: false, first_name: 'Ann' },
      media_group_id: 'g',
      photo: [{ file_id: 'p', file_unique_id: 'p', width: 1, height: 1 }],
    },
  }));
}

/** The texts that the bot has sent, in that order. */
function sent(sandbox: Sandbox): unknown[] {
  return sandbox.calls({ method: 'sendMessage' }).map(({ parameters }) => parameters['text']);
}

async function stop(daemon: Daemon): Promise<void> {
  expect(await daemon.stop()).toMatchObject({ code: 0 });
}

describe.each(inboxes)('an album (INBOX=%s)', (inbox) => {
  it('of three and one of five reach the usual middleware whole, and what is behind them waits', async () => {
    await using sandbox = await openSandbox();
    sandbox.addUpdates(photos(7, 1, 3));
    sandbox.addUpdates(photos(8, 1, 5));
    for (const chat of [7, 8]) sandbox.say({ chat, text: `behind ${chat}` });
    await using daemon = runBot(sandbox, 'albums', { env: { INBOX: await settingOf(inbox) } });
    await answers(sandbox, 4);
    await stop(daemon);
    const texts = sent(sandbox);
    expect(texts.toSorted()).toEqual(['echo behind 7', 'echo behind 8', 'total 3', 'total 5']);
    expect(texts.indexOf('total 3')).toBeLessThan(texts.indexOf('echo behind 7'));
    expect(texts.indexOf('total 5')).toBeLessThan(texts.indexOf('echo behind 8'));
  });

  it.each<[string, (daemon: Daemon) => Promise<unknown>, number | null]>([
    ['a stop', (daemon) => daemon.stop(), 1],
    ['a kill', (daemon) => daemon.stop('SIGKILL'), null],
  ])('that %s cuts is whole again in the next run', async (_, end, code) => {
    await using sandbox = await openSandbox();
    sandbox.addUpdates(photos(7, 1, 5));
    const INBOX = await settingOf(inbox);
    const env = { INBOX, GATHER_MS: '200', ALBUM_MS: '30000', STOP_TIMEOUT: '1s', LOG_LEVEL: 'debug' };
    {
      await using daemon = runBot(sandbox, 'albums', { env });
      await daemon.waitFor(({ event, ...line }) => event === 'poll.answered' && line['count'] === 5);
      // The first four photos have ended long since, and what ended 20 ms ago is written down.
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(await end(daemon)).toMatchObject({ code });
    }
    expect(sent(sandbox)).toEqual([]);
    await using daemon = runBot(sandbox, 'albums', { env: { ...env, ALBUM_MS: '0' } });
    await answers(sandbox, 1);
    await stop(daemon);
    expect(sent(sandbox)).toEqual(['total 5']);
    expect(sandbox.state().queued).toBe(0);
  });
});

describe('an album in two batches', () => {
  async function inTwoBatches(INBOX: string, sandbox: TestBed): Promise<void> {
    const env = { INBOX, GATHER_MS: '1500', LOG_LEVEL: 'debug' };
    sandbox.addUpdates(photos(7, 1, 3));
    await using daemon = runBot(sandbox, 'albums', { env });
    await daemon.waitFor(({ event, ...line }) => event === 'poll.answered' && line['count'] === 3);
    sandbox.addUpdates(photos(7, 4, 5));
    await sandbox.waitFor(() => sandbox.state().queued === 0);
    await stop(daemon);
  }

  it('reaches the middleware whole', async () => {
    await using sandbox = await openSandbox();
    await inTwoBatches('journal', sandbox);
    expect(sent(sandbox)).toEqual(['total 5']);
  });

  it('comes in two parts from an inbox in memory, which handles one batch at a time', async () => {
    await using sandbox = await openSandbox();
    await inTwoBatches('memory', sandbox);
    expect(sent(sandbox)).toEqual(['total 3', 'total 2']);
  });
});

describe('albums in a backlog of more updates than are loaded at a time', () => {
  it('are whole when an earlier run has left them', async () => {
    await using sandbox = await openSandbox();
    const albumChats = 20;
    sandbox.say({ chat: 99, text: 'stuck' });
    {
      await using daemon = runBot(sandbox, 'albums', { env: { CONCURRENCY: '1' } });
      await idle(sandbox);
      for (let n = 0; n < 1_500; n++) {
        sandbox.say({ chat: 1 + (n % 50), text: `m${n}` });
        if (n % 75 === 74) sandbox.addUpdates(photos((n + 1) / 75, 1, 5));
      }
      await sandbox.waitFor(() => sandbox.state().queued === 0);
      await daemon.stop('SIGKILL');
    }
    await using daemon = runBot(sandbox, 'albums');
    await answers(sandbox, 1_501 + albumChats);
    await stop(daemon);
    const totals = sent(sandbox).filter((text) => String(text).startsWith('total'));
    expect(totals).toEqual(Array(albumChats).fill('total 5'));
  });
});

/** A button that one of many people presses in a group. */
function press(n: number): Record<string, unknown> {
  return {
    callback_query: {
      id: `c${n}`,
      from: { id: 1_000 + n, is_bot: false, first_name: 'Ann' },
      chat_instance: '1',
      data: 'q',
      message: {
        message_id: 2,
        date: 1,
        chat: { id: -1001, type: 'supergroup', title: 'Group' },
        text: 'q',
      },
    },
  };
}

describe.each(inboxes)('200 people who press buttons of one group at once (INBOX=%s)', (inbox) => {
  const answerOf = (sandbox: Sandbox) => sandbox.calls({ method: 'answerCallbackQuery' });

  it.each(['user', 'none'])('are answered side by side with ORDER=%s', async (ORDER) => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'queries', {
      env: { INBOX: await settingOf(inbox), ORDER, HANDLER_MS: '300' },
    });
    await idle(sandbox);
    const from = performance.now();
    sandbox.addUpdates(Array.from({ length: 200 }, (_, n) => press(n)));
    await sandbox.waitFor(() => answerOf(sandbox).length === 200);
    expect(performance.now() - from).toBeLessThan(5_000);
    await stop(daemon);
  });

  it('are answered one after the other with ORDER=chat', async () => {
    await using sandbox = await openSandbox();
    sandbox.addUpdates(Array.from({ length: 200 }, (_, n) => press(n)));
    await using daemon = runBot(sandbox, 'queries', {
      env: { INBOX: await settingOf(inbox), HANDLER_MS: '5' },
    });
    await sandbox.waitFor(() => answerOf(sandbox).length === 200);
    await stop(daemon);
    const calls = answerOf(sandbox);
    expect(calls.map(({ parameters }) => parameters['callback_query_id'])).toEqual(
      Array.from({ length: 200 }, (_, n) => `c${n}`),
    );
    for (const [n, { atMs }] of calls.entries())
      expect(calls[n - 1]?.answered?.atMs ?? 0).toBeLessThanOrEqual(atMs);
  });
});

describe.each(inboxes)('ten inline queries of one person (INBOX=%s)', (inbox) => {
  it('are answered side by side', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'queries', {
      env: { INBOX: await settingOf(inbox), HANDLER_MS: '1000' },
    });
    await idle(sandbox);
    const from = performance.now();
    sandbox.addUpdates(
      Array.from({ length: 10 }, (_, n) => ({
        inline_query: {
          id: `${n}`,
          from: { id: 7, is_bot: false, first_name: 'Ann' },
          query: `q${n}`,
          offset: '',
        },
      })),
    );
    await sandbox.waitFor(() => sandbox.callCount('answerInlineQuery') === 10);
    // The memory inbox may need two batches.
    expect(performance.now() - from).toBeLessThan(4_000);
    await stop(daemon);
  });
});

describe("a bot module's own orderKey", () => {
  it('decides what waits for what, and fails for nobody', async () => {
    await using sandbox = await openSandbox();
    for (const text of ['a: slow', 'a: behind', 'b: beside', 'slow', 'wrong', 'wrong', 'behind'])
      sandbox.say({ chat: 7, text });
    sandbox.say({ chat: 8, text: 'a: of the same topic' });
    await using daemon = runBot(sandbox, 'own-order', { env: { HANDLER_MS: '500' } });
    await allAnswered(sandbox);
    await stop(daemon);
    const texts = sent(sandbox);
    expect(texts[0]).toBe('b: beside');
    const ofTopic = texts.filter((text) => String(text).startsWith('a:'));
    expect(ofTopic).toEqual(['a: slow', 'a: behind', 'a: of the same topic']);
    // What has no topic is in the order of its chat, as is what the rule fails for.
    expect(texts.filter((text) => !String(text).includes(':'))).toEqual(['slow', 'wrong', 'wrong', 'behind']);
    expect(daemon.lines.filter(({ event }) => event === 'program.order-key-failed')).toMatchObject([
      { level: 'warn', err: { message: 'no key for this one' } },
    ]);
  });

  it('takes precedence over ORDER, and may be a property of an exported bot', async () => {
    await using sandbox = await openSandbox();
    for (const text of ['slow', 'quick']) sandbox.say({ chat: 7, text });
    const env = { HANDLER_MS: '500', ORDER: 'chat' };
    await using daemon = runProgram(sandbox, fixture('bots', 'own-order.js'), { env });
    await allAnswered(sandbox);
    await stop(daemon);
    expect(sent(sandbox)).toEqual(['quick', 'slow']);
  });
});
