/** A process that is stopped and goes on: the time in which nobody could run counts against nobody. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { allAnswered, countsOf, mishaps, noMishaps, openSandbox, runBot } from '../support/delivery.js';

jest.setTimeout(90_000);

const HANDLERS = 20;
const STOPPED_MS = 20_000;

describe('a process that is stopped for 20 s with 20 handlers of 5 s at work', () => {
  it('answers all of them, and says so once, with either inbox', async () => {
    await Promise.all(['journal', 'memory'].map(stopAmidHandlers));
  });

  async function stopAmidHandlers(inbox: string): Promise<void> {
    await using sandbox = await openSandbox();
    const env = { HANDLER_MS: '5000', HANDLER_TIMEOUT: '10s', POLL_TIMEOUT: '10s', INBOX: inbox };
    await using daemon = runBot(sandbox, 'telling', { env });
    for (let chat = 1; chat <= HANDLERS; chat++) sandbox.say({ chat, text: `message${chat}` });
    await daemon.waitFor(() => daemon.events().filter((event) => event === 'test.begun').length === HANDLERS);
    daemon.kill('SIGSTOP');
    await sleep(STOPPED_MS);
    daemon.kill('SIGCONT');
    await allAnswered(sandbox);
    expect(await daemon.stop()).toMatchObject({ code: 0 });

    const told = daemon.lines.filter(({ event }) => event === 'process.stood-still');
    expect(told).toMatchObject([{ level: 'warn', ms: expect.any(Number) }]);
    expect(Math.abs(Number(told[0]?.['ms']) - STOPPED_MS)).toBeLessThan(1_500);
    for (const event of ['handler.timed-out', 'handler.failed', 'inbox.dead', 'poll.failed'])
      expect(daemon.events()).not.toContain(event);
    expect(mishaps(sandbox)).toEqual(noMishaps);
    expect(countsOf(daemon.receipt)).toMatchObject({ handled: HANDLERS, timedOut: 0, left: 0 });
  }
});

describe('a process that is stopped for 10 s amid its stop', () => {
  it('gives the drain and the hooks this time back', async () => {
    await using sandbox = await openSandbox();
    // The drain has 4 s: more than the handler needs, and less than the process is stopped.
    const env = { HANDLER_MS: '3000', STOP_TIMEOUT: '6s' };
    await using daemon = runBot(sandbox, 'telling', { env });
    sandbox.say('message');
    await daemon.waitFor('test.begun');
    daemon.kill('SIGTERM');
    await daemon.waitFor('drain.started');
    daemon.kill('SIGSTOP');
    await sleep(10_000);
    daemon.kill('SIGCONT');
    expect(await daemon.end()).toMatchObject({ code: 0 });
    expect(daemon.events()).toContain('process.stood-still');
    expect(daemon.events()).not.toContain('drain.overdue');
    expect(mishaps(sandbox)).toEqual(noMishaps);
  });
});
