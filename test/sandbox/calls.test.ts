import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from './test-sandbox.js';

describe('recorded calls', () => {
  const sent = { chat_id: 5, text: 'grüß dich & co' };

  it('have times and parameters, but no token', async () => {
    const { sandbox, clock, call } = await openTestSandbox();
    await clock.advance(500);
    await call('sendMessage', sent);
    expect(sandbox.calls({ method: 'sendmessage' })).toEqual([
      {
        number: 1,
        atMs: 500,
        bot: 7_000_000_000,
        method: 'sendMessage',
        parameters: sent,
        answered: { atMs: 500, status: 200, body: expect.stringContaining('"ok":true') },
      },
    ]);
    expect(JSON.stringify(sandbox.calls())).not.toContain(sandbox.token);
    expect(sandbox.callCount('SENDMESSAGE')).toBe(1);
    expect(sandbox.calls({ since: 1 })).toEqual([]);
  });

  it('are only the newest ones', async () => {
    const { sandbox, call } = await openTestSandbox({ recordedCalls: 5 });
    for (let count = 0; count < 23; count++) await call('getMe');
    const numbers = sandbox.calls().map(({ number }) => number);
    expect(numbers.length).toBeLessThan(10);
    expect(numbers.slice(-5)).toEqual([19, 20, 21, 22, 23]);
    expect(sandbox.state().calls).toEqual({ getMe: 23 });
  });
});
