/** Bot programs that send files: as plain Node sends them, and on Node 26 as it no longer does. */
import { describe, expect, it, jest } from '@jest/globals';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { fixture, spawnDaemon } from '../support/daemon.js';
import { openSandbox } from '../support/delivery.js';
import { launch } from '../support/programs.js';

jest.setTimeout(30_000);

/** The methods of the calls that the sandbox has answered well, in their order. */
const answered = (sandbox: Sandbox) =>
  sandbox
    .calls()
    .filter(({ method, answered }) => method.startsWith('send') && answered?.status === 200)
    .map(({ method }) => method);

const everything = [
  'sendDocument',
  'sendDocument',
  'sendDocument',
  'sendPhoto',
  'sendDocument',
  'sendMediaGroup',
  'sendMessage',
];

describe('a program that sends buffers, streams, files and albums', () => {
  const readsInChunks = Number.parseInt(process.versions.node, 10) >= 26;

  (readsInChunks ? it.skip : it)('has them sent under plain Node', async () => {
    await using sandbox = await openSandbox();
    const { apiRoot, token } = sandbox;
    const env = { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot };
    await using _program = spawnDaemon({ file: fixture('bots', 'uploads.js'), args: [], env });
    sandbox.say('send');
    await sandbox.waitFor(() => answered(sandbox).includes('sendMessage'));
    expect(answered(sandbox)).toEqual(everything);
  });

  it('has them sent', async () => {
    await using sandbox = await openSandbox();
    await using daemon = launch(sandbox, 'uploads.js');
    sandbox.say('send');
    await sandbox.waitFor(() => answered(sandbox).includes('sendMessage'));
    expect(answered(sandbox)).toEqual(everything);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect(daemon.receipt).toMatchObject({ outcome: 'clean', counts: { handled: 1, failed: 0 } });
  });
});
