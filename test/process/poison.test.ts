/** An update that ends the process, again and again: it alone is given up, and what came beside it is handled. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { type Exit, fixture, spawnDaemon } from '../support/daemon.js';
import { mishaps, openSandbox, runBot } from '../support/delivery.js';
import { idle, told } from '../support/stopping.js';

jest.setTimeout(60_000);

const OTHERS = 49;

/** In the middle of 49 others, each in a chat of its own. */
function sayPoison(sandbox: Sandbox, text: string): number {
  for (let chat = 1; chat <= OTHERS; chat++) {
    if (chat === 25) sandbox.say({ chat: 1_000, text });
    sandbox.say({ chat, text: `hello ${chat}` });
  }
  return sandbox.exchanges(1_000)[0]?.updateId ?? 0;
}

describe('an update of which the process dies, with 49 others beside it', () => {
  it.each([
    ['abort', { code: null, signal: 'SIGABRT' }],
    ['kill', { code: null, signal: 'SIGKILL' }],
  ])(
    'by %s: is given up after the third death, all others are handled, and the bot runs on',
    async (text, end) => {
      await using sandbox = await openSandbox();
      const poison = sayPoison(sandbox, text);
      const env = { HANDLER_MS: '60' };
      const attempts: unknown[] = [];
      for (let death = 1; death <= 3; death++) {
        await using daemon = runBot(sandbox, 'deadly', { env });
        expect(await daemon.end()).toMatchObject(end);
        attempts.push(told(daemon, 'test.begun').find(({ updateId }) => updateId === poison)?.['attempt']);
      }
      expect(attempts).toEqual([1, 2, 3]);

      await using daemon = runBot(sandbox, 'deadly', { env });
      expect(await daemon.waitFor('inbox.dead')).toMatchObject({
        level: 'error',
        updateId: poison,
        why: 'died',
        attempts: 3,
        msg: `Gave up update ${poison} (message) after 3 attempts: 3 processes died while handling it`,
      });
      await sandbox.waitFor(() => sandbox.report().answered === OTHERS, 20_000);
      expect((await sandbox.ask({ chat: 1_000, text: 'and you?' })).answers).toMatchObject([
        { text: 'echo and you?' },
      ]);
      expect(await daemon.stop()).toMatchObject({ code: 0 });
      expect(told(daemon, 'inbox.dead')).toHaveLength(1);
      expect(mishaps(sandbox)).toMatchObject({ lost: 1, outOfOrder: 0 });
      // It stays dead.
      await using next = runBot(sandbox, 'deadly', { env });
      await idle(sandbox);
      expect(told(next, 'inbox.recovered')).toEqual([]);
      expect(await next.stop()).toMatchObject({ code: 0 });
    },
  );

  it('is tried for ever where that is asked for', async () => {
    await using sandbox = await openSandbox();
    sayPoison(sandbox, 'kill');
    for (let death = 1; death <= 5; death++) {
      await using daemon = runBot(sandbox, 'deadly', { env: { MAX_ATTEMPTS: '0' } });
      expect(await daemon.end()).toMatchObject({ signal: 'SIGKILL' });
    }
  });

  it('keeps plain Telegraf from ever getting on', async () => {
    await using sandbox = await openSandbox();
    sayPoison(sandbox, 'exit');
    const exits: Exit[] = [];
    for (let death = 1; death <= 5; death++) {
      await using daemon = spawnDaemon({
        file: fixture('bots', 'deadly.js'),
        args: [],
        env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot },
      });
      exits.push(await daemon.end());
    }
    expect(exits.map(({ code }) => code)).toEqual([3, 3, 3, 3, 3]);
    expect(sandbox.exchanges(1_000)).toMatchObject([{ answers: [] }]);
    expect(sandbox.report().unanswered).toBeGreaterThan(0);
  });
});
