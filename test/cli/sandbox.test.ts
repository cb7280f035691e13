import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { sandbox } from '../../src/cli/sandbox.js';
import { NOT_MODELLED } from '../../src/sandbox/not-modelled.js';
import { SANDBOX_TOKEN } from '../../src/sandbox/sandbox-token.js';
import { Client } from '../sandbox/client.js';

const OTHER_TOKEN = '7000000001:ANOTHER-SANDBOX-TOKEN-NOT-SECRET000';

function start(...args: string[]) {
  const stop = new AbortController();
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  let printed = '';
  const waits = new Set<() => void>();
  stdout.on('data', (chunk: string) => {
    printed += chunk;
    for (const look of waits) look();
  });
  const exitCode = sandbox({ args, env: {}, cwd: () => '/', stdout, stderr, signal: stop.signal }).finally(
    () => stderr.end(),
  );
  /** Resolves to the first match in the output. */
  const prints = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve) => {
      const look = () => {
        const found = pattern.exec(printed);
        if (found) resolve(found);
      };
      waits.add(look);
      look();
    });
  const client = async () => {
    const [, apiRoot = ''] = await prints(/TELEGRAM_API_ROOT=(\S+)/);
    return new Client(apiRoot);
  };
  const token = async () => (await prints(/BOT_TOKEN='(\S+)'/))[1] ?? '';
  return { exitCode, stop, prints, client, token, errors: text(stderr), printed: () => printed };
}

describe('lastcall sandbox', () => {
  it('explains its use and limits, prints messages of bots, and exits 0', async () => {
    const { exitCode, stop, prints, client, token, printed } = start('--port', '0', '--say', 'hello');
    const bot = await client();
    const botToken = await token();
    await prints(/curl -d '\{"text": "hello"\}' \S+\/sandbox\/updates/);
    for (const item of NOT_MODELLED) expect(printed()).toContain(item);
    expect((await bot.call(botToken, 'getUpdates')).result).toMatchObject([{ message: { text: 'hello' } }]);

    await bot.call(botToken, 'sendMessage', { chat_id: 1, text: 'two\nlines' });
    await prints(/^bot \d+ to chat 1: two lines$/m);
    await bot.call(botToken, 'sendPhoto', { chat_id: -2, photo: 'x' });
    await prints(/^bot \d+ to chat -2: \(photo\)$/m);

    bot.close();
    stop.abort();
    expect(await exitCode).toBe(0);
  });

  it('accepts only the given tokens, and does not print them', async () => {
    const { exitCode, stop, client, printed } = start('--port', '0', '--host-token', OTHER_TOKEN);
    const bot = await client();
    expect((await bot.call(OTHER_TOKEN, 'getMe')).ok).toBe(true);
    expect((await bot.call(SANDBOX_TOKEN, 'getMe')).error_code).toBe(401);
    expect(printed()).not.toContain(OTHER_TOKEN);
    bot.close();
    stop.abort();
    expect(await exitCode).toBe(0);
  });

  it('serves bots that reach it by a given name', async () => {
    const { exitCode, stop, client, token } = start('--port', '0', '--host-name', 'bots.internal');
    const bot = await client();
    const path = `/bot${await token()}/getMe`;
    expect((await bot.send(path, { headers: { host: 'bots.internal:8081' } })).status).toBe(200);
    expect((await bot.send(path, { headers: { host: 'page.internal:8081' } })).status).toBe(403);
    bot.close();
    stop.abort();
    expect(await exitCode).toBe(0);
  });

  it('prints its help, with the control API and every fault', async () => {
    const { exitCode, printed } = start('--help');
    expect(await exitCode).toBe(0);
    expect(printed()).toMatch(/^usage: lastcall sandbox/);
    expect(printed()).toMatch(/DELETE \/sandbox\/faults/);
    expect(printed()).toMatch(/^ {2}too-many-requests +retryAfterSeconds/m);
  });

  it('exits 78 if the port is in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { exitCode, errors } = start('--port', `${port}`);
    const ended = await exitCode.finally(() => taken.close());
    expect(ended).toBe(78);
    expect(await errors).toContain(`port ${port} is in use`);
  });

  it.each([
    [['--port', 'x'], "not 'x'"],
    [['--bogus'], "Unknown option '--bogus'"],
    [['--port', '0', '--host-token', 'short'], 'must be a bot token'],
    [['--port', '0', '--host-name', 'bots.internal:8081'], "not 'bots.internal:8081'"],
    [['--port', '0', '--host-name', 'http://bots.internal'], 'must be a name without a port'],
  ])('exits 78 with the reason for %j', async (args, words) => {
    const { exitCode, errors } = start(...args);
    expect(await exitCode).toBe(78);
    expect(await errors).toContain(words);
  });
});
