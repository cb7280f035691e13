import { describe, expect, it } from '@jest/globals';
import { openTestSandbox, pollWaits } from './test-sandbox.js';

describe('the sandbox', () => {
  it('destroys connections and rejects waits when it closes', async () => {
    const testSandbox = await openTestSandbox();
    const { sandbox, clock, call } = testSandbox;
    const poll = call('getUpdates', { timeout: 50 });
    await pollWaits(testSandbox);
    const wait = sandbox.waitFor(() => false);
    const [pollEnd, waitEnd] = [expect(poll).rejects.toThrow(), expect(wait).rejects.toThrow('closed')];
    await sandbox.close();
    await Promise.all([pollEnd, waitEnd]);
    expect(clock.pending).toBe(0);
  });

  it('shows its state when a wait times out', async () => {
    const { sandbox, clock } = await openTestSandbox();
    const wait = expect(sandbox.waitFor(() => false, 700)).rejects.toThrow(
      /Waited 700 ms without success.*"queued":0/,
    );
    await clock.advance(700);
    await wait;
  });
});
