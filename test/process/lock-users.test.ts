/** Other users of the host cannot keep a bot from running. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { lockAddress } from '../../src/host/lock.js';
import { placeAddress } from '../../src/host/shared-lock.js';
import { identityOfToken } from '../../src/telegraf/identity.js';
import { allAnswered, openSandbox } from '../support/delivery.js';
import { idle, startBot } from '../support/stopping.js';

jest.setTimeout(30_000);

const NOBODY = 65_534;

/** Binds the abstract name as another user does. */
async function squat(address: string, uid: number): Promise<AsyncDisposable> {
  const program = `require('node:net').createServer().listen('\\0' + process.argv[1], () => console.log('bound'))`;
  const child = spawn(process.execPath, ['-e', program, address.slice(1)], {
    uid,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const whyNot =
  process.platform !== 'linux' ? 'this is not Linux' : process.getuid?.() !== 0 ? 'it takes root' : undefined;
const whereRoot = whyNot === undefined ? it : it.skip;

describe(`a lock whose public name another user holds${whyNot ? ` (not tested: ${whyNot})` : ''}`, () => {
  whereRoot('is taken all the same, and still keeps two processes apart', async () => {
    await using sandbox = await openSandbox();
    const key = botKey(identityOfToken(sandbox.token, sandbox.apiRoot));
    await using _squatter = await squat(lockAddress(key), NOBODY);
    // As if a process with a database ran the bot.
    await using _sharer = await squat(placeAddress(key, 0), NOBODY);
    await using first = startBot(sandbox, 'lone.mjs', {
      env: { ON_LOCKED: 'exit', STATE_DIR: sandbox.stateDir },
    });
    expect(await first.waitFor('lock.usurped')).toMatchObject({ level: 'warn', uid: NOBODY });
    await idle(sandbox);
    sandbox.say('hello');
    await allAnswered(sandbox);
    await using second = startBot(sandbox, 'lone.mjs', { env: { STATE_DIR: sandbox.stateDir } });
    await second.waitFor('lock.waiting');
    expect((await first.stop()).code).toBe(0);
    await second.waitFor('poll.started');
    expect((await second.stop()).code).toBe(0);
    expect(sandbox.state().conflicts).toBe(0);
  });

  whereRoot('is waited for where a process of the same user holds it', async () => {
    await using sandbox = await openSandbox();
    const address = lockAddress(botKey(identityOfToken(sandbox.token, sandbox.apiRoot)));
    const earlier = await squat(address, 0);
    await using daemon = startBot(sandbox, 'lone.mjs');
    await daemon.waitFor('lock.waiting');
    await earlier[Symbol.asyncDispose]();
    await daemon.waitFor('poll.started');
    expect(daemon.events()).not.toContain('lock.usurped');
    expect((await daemon.stop()).code).toBe(0);
  });
});
