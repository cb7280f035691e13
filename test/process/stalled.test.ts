/** A run whose disk hangs, without a watchdog: it says so and ends itself. Its clock goes ten times as fast. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it, jest } from '@jest/globals';
import { fixture } from '../support/daemon.js';
import { openSandbox, runBot } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { told } from '../support/stopping.js';

jest.setTimeout(90_000);

/** Older versions of Node can only be ended by a signal while threads of the pool are stuck. */
const end = 'execve' in process ? { code: 70, signal: null } : { code: null, signal: 'SIGKILL' };

describe('a run whose writes hang', () => {
  it('names the step that is overdue, ends with 70, and was not killed for the next one', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    const pipes = [1, 2, 3, 4].map((number) => folder.file(`pipe ${number}`));
    execFileSync('mkfifo', pipes);
    await using daemon = runBot(sandbox, 'opens-pipes', {
      nodeArgs: ['--import', fixture('drivers', 'fast-clock.mjs')],
      env: { PIPES: pipes.join(':'), STOP_TIMEOUT: '10s' },
    });
    await sandbox.ask({ chat: 1, text: 'open' });
    sandbox.say({ chat: 2, text: 'this cannot be made safe any more' });
    expect(await daemon.end(60_000)).toMatchObject(end);
    expect(told(daemon, 'lifecycle.stopping')).toMatchObject([
      {
        level: 'error',
        reason: expect.stringMatching(/^writing to the inbox should have ended .* ago$/),
        err: { code: 'RUN_STALLED', nextStep: expect.any(String) },
      },
    ]);
    expect(daemon.receipt).toMatchObject({ outcome: 'fault', exitCode: 70 });

    await using next = runBot(sandbox, 'echo');
    await next.waitFor('poll.started');
    expect(told(next, 'previous-run.killed')).toEqual([]);
    expect(await next.stop()).toMatchObject({ code: 0 });
  });
});
