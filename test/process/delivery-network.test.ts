/** What stands between the bot and its updates: a network that fails, a server that refuses, a webhook in the way. */
import { describe, expect, it, jest } from '@jest/globals';
import { everyFailure } from '../../src/sandbox/fault-rule.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { seededRandom } from '../../src/sandbox/seeded-random.js';
import {
  allAnswered,
  answers,
  countsOf,
  mishaps,
  noMishaps,
  openSandbox,
  runBot,
} from '../support/delivery.js';

jest.setTimeout(60_000);

const WEBHOOK = 'https://old.example:8443/a-secret-path';

/** Calls a method as another program with the token would. */
async function call(sandbox: Sandbox, method: string, parameters: object): Promise<void> {
  const response = await fetch(`${sandbox.apiRoot}/bot${sandbox.token}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(parameters),
  });
  expect(await response.json()).toMatchObject({ ok: true });
}

/** Every fifth poll fails, in each way there is in turn. */
function failEveryFifthPoll(sandbox: Sandbox, ways: number): void {
  for (let n = 0; n < ways; n++) {
    const fault = everyFailure[n % everyFailure.length];
    // A rule does not see the polls that those before it have hit.
    if (fault) sandbox.addFault({ ...fault, method: 'getUpdates', after: 4 * n + 4, times: 1 });
  }
}

describe('2,000 updates with 20 % of the polls failing in every way', () => {
  it('are all handled once, in order per chat', async () => {
    await using sandbox = await openSandbox();
    const random = seededRandom(1);
    failEveryFifthPoll(sandbox, 1_000);
    await using daemon = runBot(sandbox, 'uneven', { env: { POLL_TIMEOUT: '1s', HANDLER_MS: '20' } });
    // In small portions, so that there are polls enough for every failure.
    for (let said = 0; said < 2_000; ) {
      for (const end = said + 50; said < end; said++)
        sandbox.say({ chat: 1 + Math.floor(random() * 40), text: `message${said}` });
      await allAnswered(sandbox);
    }
    const polls = sandbox.calls({ method: 'getUpdates' });
    sandbox.removeFaults();
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    const failed = polls.flatMap(({ fault }) => fault ?? []);
    expect(new Set(failed)).toEqual(new Set(everyFailure.map(({ kind }) => kind)));
    expect(failed.length / polls.length).toBeGreaterThan(0.18);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 2_000, handled: 2_000, mayRepeat: 0 });
  });
});

describe('Telegram out of reach at the start', () => {
  it('is no reason not to run: the bot starts, and handles what waits once it can', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ text: 'message{n}', count: 3 });
    sandbox.addFault({ kind: 'refuse', forMs: 1_000 });
    await using daemon = runBot(sandbox, 'echo');
    await daemon.waitFor('lifecycle.running');
    expect(await daemon.waitFor('poll.failed')).toMatchObject({
      class: 'unreachable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    await allAnswered(sandbox);
    expect(await daemon.waitFor('poll.recovered')).toMatchObject({ gapMs: expect.any(Number) });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('may be a proxy that says 404 in HTML: that is not Telegram refusing the token', async () => {
    await using sandbox = await openSandbox();
    sandbox.addFault({ kind: 'html', status: 404, times: 2 });
    sandbox.say('hello');
    await using daemon = runBot(sandbox, 'echo');
    await allAnswered(sandbox);
    expect(await daemon.waitFor('poll.recovered')).toMatchObject({ failures: 2 });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('a token that Telegram refuses', () => {
  it.each([
    ['401 Unauthorized', { kind: 'revoked' }],
    ['404 Not Found', { kind: 'error', status: 404, description: 'Not Found' }],
  ] as const)('%s at the start: exit 78, with words that help', async (detail, fault) => {
    await using sandbox = await openSandbox();
    sandbox.addFault(fault);
    await using daemon = runBot(sandbox, 'echo');
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt).toMatchObject({
      level: 'error',
      exitCode: 78,
      reason: expect.stringContaining(detail),
    });
    expect(daemon.output).toContain('@BotFather');
    expect(sandbox.callCount('getMe')).toBe(1);
  });

  it('for a moment at the start of a bot that has polled before: it asks again, and goes on', async () => {
    await using sandbox = await openSandbox();
    await using first = runBot(sandbox, 'echo');
    await first.waitFor('poll.started');
    expect(await first.stop()).toMatchObject({ code: 0 });

    sandbox.addFault({ kind: 'revoked', method: 'getMe', times: 1 });
    sandbox.addFault({ kind: 'error', status: 404, description: 'Not Found', method: 'getMe', times: 1 });
    await using second = runBot(sandbox, 'echo');
    expect(await second.waitFor('poll.failed')).toMatchObject({ class: 'token-refused' });
    await sandbox.ask('after');
    expect(await second.stop()).toMatchObject({ code: 0 });
  });

  it('is not doubted because of an earlier start that failed: exit 78 at once, again', async () => {
    await using sandbox = await openSandbox();
    sandbox.addFault({ kind: 'revoked' });
    for (const starts of [1, 2]) {
      await using daemon = runBot(sandbox, 'echo');
      expect(await daemon.end()).toMatchObject({ code: 78 });
      expect(sandbox.callCount('getMe')).toBe(starts);
    }
  });

  it("and is another bot's: the same", async () => {
    await using sandbox = await openSandbox({ tokens: ['1:the-only-token-the-server-knows'] });
    const env = { BOT_TOKEN: '2:a-token-the-server-does-not-know' };
    await using daemon = runBot(sandbox, 'echo', { env });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt['reason']).toContain('401 Unauthorized');
  });

  it('for 3 s amid the run: the bot asks again, and goes on', async () => {
    await using sandbox = await openSandbox();
    await using daemon = runBot(sandbox, 'echo');
    await sandbox.ask('before');
    sandbox.addFault({ kind: 'revoked', forMs: 3_000 });
    expect(await daemon.waitFor('poll.token-doubted')).toMatchObject({ level: 'error' });
    expect(await daemon.waitFor('poll.failed')).toMatchObject({ class: 'token-refused' });
    sandbox.say({ text: 'amid{n}', count: 3 });
    await allAnswered(sandbox);
    expect(await daemon.waitFor('poll.recovered')).toMatchObject({ gapMs: expect.any(Number) });
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});

describe('a webhook that is set', () => {
  it('is removed at the start, and its host named in a warning', async () => {
    await using sandbox = await openSandbox();
    await call(sandbox, 'setWebhook', { url: WEBHOOK });
    sandbox.say({ text: 'message{n}', count: 3 });
    await using daemon = runBot(sandbox, 'echo');
    await allAnswered(sandbox);
    expect(await daemon.waitFor('poll.webhook-deleted')).toMatchObject({
      level: 'warn',
      host: 'old.example:8443',
    });
    expect(daemon.output).not.toContain('secret-path');
    expect(sandbox.state().webhookUrl).toBe('');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });

  it('stays where DELETE_WEBHOOK=no: exit 78, and nothing is taken from it', async () => {
    await using sandbox = await openSandbox();
    await call(sandbox, 'setWebhook', { url: WEBHOOK });
    sandbox.say('for the webhook');
    await using daemon = runBot(sandbox, 'echo', { env: { DELETE_WEBHOOK: 'no' } });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt['reason']).toMatch(/old\.example:8443.*DELETE_WEBHOOK=no/);
    expect(daemon.output).not.toContain('secret-path');
    expect(sandbox.state()).toMatchObject({ webhookUrl: WEBHOOK, queued: 1, polls: 0 });
  });
});

describe('DROP_PENDING=yes', () => {
  it('drops what waits at the start, says how much, and handles what comes later', async () => {
    await using sandbox = await openSandbox();
    sandbox.say({ text: 'old{n}', count: 5 });
    await using daemon = runBot(sandbox, 'echo', { env: { DROP_PENDING: 'yes' } });
    expect(await daemon.waitFor('poll.pending-dropped')).toMatchObject({ level: 'warn', count: 5 });
    await sandbox.waitFor(() => sandbox.state().waitingPolls === 1);
    sandbox.say({ text: 'new{n}', count: 5 });
    await answers(sandbox, 5);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 5, handled: 5 });
    const answered = sandbox.exchanges().filter(({ answers }) => answers.length === 1);
    expect(answered.map(({ text }) => text)).toEqual(['new1', 'new2', 'new3', 'new4', 'new5']);
  });
});

describe('allowed_updates', () => {
  it.each([
    ['unset', {}, [], undefined],
    [
      'set',
      { ALLOWED_UPDATES: 'message,callback_query' },
      ['message', 'callback_query'],
      ['message', 'callback_query'],
    ],
  ] as const)('are told the server by every poll, with ALLOWED_UPDATES %s', async (_, env, sent, inForce) => {
    await using sandbox = await openSandbox();
    // What the previous program has left behind.
    await call(sandbox, 'getUpdates', { allowed_updates: ['poll', 'message'] });
    await using daemon = runBot(sandbox, 'echo', { env });
    await sandbox.ask('hello');
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    const polls = sandbox.calls({ method: 'getUpdates' }).slice(1);
    expect(polls.length).toBeGreaterThan(1);
    for (const { parameters } of polls) expect(parameters['allowed_updates']).toEqual(sent);
    expect(sandbox.state().allowedUpdates).toEqual(inForce);
  });
});

describe('update ids that begin anew, lower', () => {
  it('are handled as any others, and confirmed', async () => {
    await using sandbox = await openSandbox({ firstUpdateId: 500_000_000 });
    await using daemon = runBot(sandbox, 'echo');
    sandbox.say({ text: 'high{n}', count: 10 });
    await allAnswered(sandbox);
    await sandbox.waitFor(() => sandbox.state().queued === 0);
    sandbox.jumpTo(1_000);
    for (let chat = 1; chat <= 5; chat++) sandbox.say({ chat, text: `low${chat}-{n}`, count: 10 });
    await allAnswered(sandbox);
    sandbox.say({ text: 'and later{n}', count: 10 });
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(countsOf(daemon.receipt)).toMatchObject({ fetched: 70, handled: 70, confirmedUpTo: 1_059 });
    expect(sandbox.state().queued).toBe(0);
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});
