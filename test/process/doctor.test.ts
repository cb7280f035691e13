/** `lastcall doctor` of the built program: on a healthy set-up, beside several faults, and beside others that poll. */
import { once } from 'node:events';
import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { checkNode } from '../../src/cli/doctor/node-releases.js';
import { median, spawnDaemon } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { doctor } from '../support/doctor.js';
import { troubles } from '../support/findings.js';
import { Folder, repository } from '../support/folder.js';
import { idle } from '../support/stopping.js';
import { newToken } from '../support/token.js';

jest.setTimeout(60_000);

const RUNS = 5;
const BOUND_MS = 3_000;

/** What is found whatever the bot does: the tests run on a Node that has reached its end, too. */
const ofNode = troubles([checkNode(process.versions.node, Date.now())]);

describe('on a healthy set-up', () => {
  it('prints only what is well, in under 3 s, and disturbs no poll', async () => {
    await using bed = await openSandbox();
    await using daemon = runBot(bed, 'echo');
    await idle(bed);
    const pollsBefore = bed.calls({ method: 'getUpdates' }).length;
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { code, findings, tookMs } = await doctor(bed, { args: [bot()] });
      expect({ code, found: troubles(findings) }).toEqual({ code: 0, found: ofNode });
      times.push(tookMs);
    }
    expect(median(times)).toBeLessThan(BOUND_MS);
    // The poll that waited before still waits, and nobody else has made one.
    expect(bed.calls({ method: 'getUpdates' })).toHaveLength(pollsBefore);
    expect(bed.state()).toMatchObject({ conflicts: 0, waitingPolls: 1 });
    for (let chat = 1; chat <= RUNS; chat++) bed.say({ chat, text: 'hello' });
    const [, run] = await Promise.all([allAnswered(bed), doctor(bed, { args: ['--poll'] })]);
    expect(run.code).toBe(0);
    expect(bed.state().conflicts).toBe(0);
    expect(daemon.events()).not.toContain('poll.conflict');
    expect((await daemon.stop()).code).toBe(0);
    expect(mishaps(bed)).toEqual(noMishaps);
  });
});

/** A file of a bot of its own, which is not run. */
const bot = (): string => new URL('../fixtures/modules/echo.mjs', import.meta.url).pathname;

describe('where several things are wrong', () => {
  it('names each of them, with what to do, and exits 1', async () => {
    await using bed = await openSandbox();
    using folder = new Folder({
      '.env': `BOT_TOKEN=${bed.token}\n`,
      'bot.js': "import { Telegraf } from 'telegraf';\nbot.launch({ webhook: { domain: 'x' } });\n",
      'package.json': '{ "type": "module" }',
      'ecosystem.config.cjs': "module.exports = { apps: [{ name: 'shop', script: 'lastcall' }] };",
      state: '',
    });
    folder.linkPackages();
    chmodSync(folder.file('.env'), 0o644);
    await fetch(`${bed.apiRoot}/bot${bed.token}/setWebhook?url=https://hook.example/a-secret-path`);
    const env = {
      ...{ BOT_TOKEN: '', STATE_DIR: folder.file('state'), DELETE_WEBHOOK: 'no', DURABILITY: 'disk' },
      HTTPS_PROXY: 'http://ann:not-shown@127.0.0.1:1',
    };
    const run = await doctor(bed, { args: ['bot.js', '--poll'], env: withoutToken(env), cwd: folder.path });
    expect(bed.calls({ method: 'getUpdates' })).toHaveLength(0);
    expect(run.code).toBe(1);
    expect(troubles(run.findings)).toEqual([
      'settings: wrong',
      '.env: warning',
      'file: wrong',
      ...ofNode,
      'proxy: warning',
      'webhook: wrong',
      'rival: skipped',
      'folder: wrong',
      'pm2: warning',
      'pm2: warning',
    ]);
    for (const { verdict, cure } of run.findings) if (verdict === 'wrong') expect(cure).toBeDefined();
    for (const secret of [bed.token, 'not-shown', 'a-secret-path']) expect(run.output).not.toContain(secret);
  });

  it('says so within its time where nothing answers', async () => {
    await using bed = await openSandbox();
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      const root = { TELEGRAM_API_ROOT: `http://127.0.0.1:${port}`, HTTP_PROXY: `http://127.0.0.1:${port}` };
      const { code, findings, tookMs } = await doctor(bed, { args: [bot()], env: root });
      expect({ code, reach: findings.find(({ check }) => check === 'reach') }).toMatchObject({
        ...{ code: 1, reach: { verdict: 'wrong', text: expect.stringContaining('no answer within 2 s') } },
      });
      expect(tookMs).toBeLessThan(BOUND_MS + 1_000);
    } finally {
      silent.close();
    }
  });

  it('says that the token is refused', async () => {
    await using bed = await openSandbox({ tokens: [newToken()] });
    const { code, findings } = await doctor(bed, { args: [bot()], env: { BOT_TOKEN: `${bed.token}x` } });
    expect({ code, found: troubles(findings) }).toEqual({ code: 1, found: [...ofNode, 'bot: wrong'] });
  });

  it('refuses options that there are none of', async () => {
    await using bed = await openSandbox();
    await using program = spawnDaemon({ args: ['doctor', '--jsno'], env: { BOT_TOKEN: bed.token } });
    expect((await program.end()).code).toBe(78);
    expect(program.output).toMatch(/--jsno is not .*--json/);
  });
});

const withoutToken = ({ BOT_TOKEN: _, ...env }: Readonly<Record<string, string>>) => env;

/** A poll as another program makes it; resolves with the status of its answer. */
const pollOf = async ({ apiRoot, token }: TestBed): Promise<number> =>
  (await fetch(`${apiRoot}/bot${token}/getUpdates?timeout=20`)).status;

describe('another program that polls', () => {
  it('is left alone, and found only where that is asked for', async () => {
    await using bed = await openSandbox();
    let waiting = pollOf(bed);
    await bed.waitFor(() => bed.state().waitingPolls === 1);
    expect((await doctor(bed, { args: [bot()] })).code).toBe(0);
    expect(bed.state()).toMatchObject({ conflicts: 0, waitingPolls: 1 });

    const looking = doctor(bed, { args: [bot(), '--poll'] });
    expect(await waiting).toBe(409);
    waiting = pollOf(bed);
    const { code, findings } = await looking;
    expect({ code, found: troubles(findings) }).toEqual({ code: 1, found: [...ofNode, 'rival: wrong'] });
    bed.say('one');
    expect(await waiting).toBe(200);
    // Nothing is confirmed by any of it, nor by a poll that is given updates.
    bed.say('two');
    expect((await doctor(bed, { args: [bot(), '--poll'] })).code).toBe(0);
    expect(bed.state().queued).toBe(2);
  });
});

describe('the commands in README.md', () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const section = /^## When something is wrong\n([\s\S]*?)^## /m.exec(readme)?.[1] ?? '';
  const block = /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  const commands = block.split('\n').flatMap((line) => /(npx lastcall [^#]*)/.exec(line)?.[1]?.trim() ?? []);

  it('are those that are run here', () => expect(commands).toHaveLength(3));

  it.each(commands)('%s', async (command) => {
    await using bed = await openSandbox();
    using folder = new Folder({
      '.env': `BOT_TOKEN=${bed.token}\nTELEGRAM_API_ROOT=${bed.apiRoot}\nSTATE_DIR=${bed.stateDir}\n`,
      'bot.js': 'module.exports = ({ bot }) => {};',
    });
    chmodSync(folder.file('.env'), 0o600);
    const args = command.split(' ').slice(2);
    await using program = spawnDaemon({ args, cwd: folder.path });
    expect(await program.end()).toMatchObject({ code: 0 });
    expect(program.output).toContain(`Telegram knows the bot as @sandbox_${bed.id}_bot`);
  });
});
