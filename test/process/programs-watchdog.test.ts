/** Programs that watch whether they are polled: by `bot.polling`, or by a `callApi` that they have replaced. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import type { Daemon } from '../support/daemon.js';
import { expectGoodEnd, launch } from '../support/programs.js';
import { idle } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

const launchWith = (wrapper: string): Daemon =>
  launch(sandbox, 'watchdog.js', { env: { WRAPPER: wrapper, LOG_LEVEL: 'debug' } });

describe('the property `polling` of a bot', () => {
  it('is there while the bot is polled, and stops it, as under Telegraf', async () => {
    await using daemon = launchWith('counts');
    await daemon.prints(/^before: polling false, webhook server false$/m);
    await daemon.prints(/^during: polling true, webhook server false$/m);
    await idle(sandbox);
    daemon.kill('SIGUSR2');
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(daemon.receipt).toMatchObject({ reason: 'bot.stop() was called' });
    expect(daemon.output).toMatch(/^after: polling false, webhook server false$/m);
  });
});

describe('a callApi of the program', () => {
  it('sees each poll, with its parameters, its updates, and its errors', async () => {
    sandbox.addFault({
      kind: 'error',
      status: 400,
      description: 'Bad Request: odd',
      method: 'getUpdates',
      times: 1,
    });
    await using daemon = launchWith('counts');
    expect(await sandbox.ask('hello')).toMatchObject({ answers: [{ text: 'echo hello' }] });
    await daemon.prints(/^saw getUpdates TelegramError 400: 400: Bad Request: odd$/m);
    await daemon.prints(/^saw getUpdates \{.*"result":1\}$/m);
    await idle(sandbox);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    const [first] = /(?<=^saw getUpdates )\{.*\}$/m.exec(daemon.output) ?? [];
    expect(JSON.parse(first ?? '')).toEqual({
      timeout: 0,
      offset: 1,
      limit: 100,
      allowed_updates: [],
      result: expect.any(Number),
    });
    // No poll was made twice.
    const seen = daemon.output.match(/^saw getUpdates/gm)?.length;
    expect(sandbox.callCount('getUpdates') - Number(seen)).toBeLessThanOrEqual(2);
    expect(sandbox.state().conflicts).toBe(0);
  });

  it('sees each poll also where it copies the parameters', async () => {
    await using daemon = launchWith('copies');
    await sandbox.ask('hello');
    await daemon.prints(/^saw getUpdates\n[\s\S]*^saw getUpdates$/m);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(sandbox.state().conflicts).toBe(0);
  });

  it.each(['throws', 'blocks', 'apart'])('that %s keeps nothing from being polled', async (wrapper) => {
    await using daemon = launchWith(wrapper);
    expect(await sandbox.ask('hello')).toMatchObject({ answers: [{ text: 'echo hello' }] });
    await idle(sandbox);
    expectGoodEnd(sandbox, daemon, await daemon.stop());
    expect(sandbox.state().conflicts).toBe(0);
  });
});
