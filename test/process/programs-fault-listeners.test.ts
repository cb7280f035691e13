/** Bot programs that listen for errors that nobody caught, and end the process: under plain Node, and under lastcall. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { launch, slowAnswers } from '../support/programs.js';
import { expectStopped, idle, told } from '../support/stopping.js';

jest.setTimeout(30_000);

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(() => sandbox.close());

function launchPlain(name: string, env: Readonly<Record<string, string>>): Daemon {
  const { apiRoot, token } = sandbox;
  return spawnDaemon({
    file: fixture('bots', name),
    args: [],
    env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, ...env },
  });
}

/** Says what makes the program fail while a handler of another chat is at work. */
async function fail(text: string): Promise<void> {
  await idle(sandbox);
  slowAnswers(sandbox, 400);
  sandbox.say({ chat: 1, text: 'hello' });
  sandbox.say({ chat: 2, text });
}

describe.each([
  ['at once', 'ends-on-faults.js', { HOW: 'at once' }],
  ['in a moment', 'ends-on-faults.js', { HOW: 'in a moment' }],
  ['unless others listen', 'ends-on-faults.js', { HOW: 'unless others listen' }],
  ['as Sentry', 'sentry.js', {}],
  ['as winston', 'winston.js', {}],
] as const)('a program whose listener for faults calls process.exit %s', (_, name, env) => {
  const isTold = name === 'ends-on-faults.js';
  const faults = [
    ['throw it', 'uncaughtException', 'uncaught exception'],
    ...(isTold ? ([['reject it', 'unhandledRejection', 'unhandled rejection']] as const) : []),
  ] as const;

  it.each(faults)('ends with 1 under plain Node (%s)', async (text, _origin, _words) => {
    await using program = launchPlain(name, env);
    await fail(text);
    expect(await program.end()).toMatchObject({ code: 1, signal: null });
  });

  it.each(faults)('ends in order, with 70 (%s)', async (text, origin, words) => {
    await using daemon = launch(sandbox, name, { env });
    await fail(text);
    await daemon.waitFor('lifecycle.stopping');
    const receipt = expectStopped(daemon, await daemon.stop(null), {
      reason: `${words}: ${text}`,
      code: 70,
      outcome: 'fault',
    });
    expect(told(daemon, 'process.fault')).toMatchObject([{ origin, err: { message: text } }]);
    if (isTold) expect(daemon.output).toMatch(new RegExp(`^caught ${text}$`, 'm'));
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 2, left: 0, mayRepeat: 0 });
    expect(sandbox.report()).toMatchObject({ said: 2, answered: 2, answeredTwice: 0 });
    expect(sandbox.state().queued).toBe(0);
  });
});

describe('a fault amid the stop, whose listener calls process.exit', () => {
  it('makes it end with 70, in order', async () => {
    await using daemon = launch(sandbox, 'ends-on-faults.js', { env: { HOW: 'at once' } });
    await fail('late it is');
    await sandbox.waitFor(() => sandbox.calls({ method: 'sendMessage' }).length === 2);
    const receipt = expectStopped(daemon, await daemon.stop(), {
      reason: 'SIGTERM',
      code: 70,
      outcome: 'fault',
    });
    expect(told(daemon, 'process.fault')).toHaveLength(1);
    expect(receipt['counts']).toMatchObject({ fetched: 2, handled: 2, left: 0, mayRepeat: 0 });
    expect(sandbox.report()).toMatchObject({ said: 2, answered: 2, answeredTwice: 0 });
  });
});
