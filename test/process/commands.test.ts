/** The commands of the built program. */
import { chmodSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { commandNames } from '../../src/cli/commands.js';
import { type Daemon, type DaemonOptions, spawnDaemon } from '../support/daemon.js';
import { Folder, repository } from '../support/folder.js';

jest.setTimeout(30_000);

const TOKEN = '471100001:COMMANDS-TEST-TOKEN-NOT-SECRET-1234';

const lastcall = (args: readonly string[], options: Omit<DaemonOptions, 'args'> = {}): Daemon =>
  spawnDaemon({ args, ...options });

/** Runs the program to its end and expects an exit code. Resolves to its output. */
async function outputOf(
  args: readonly string[],
  exitCode = 0,
  options: Omit<DaemonOptions, 'args'> = {},
): Promise<string> {
  await using program = lastcall(args, options);
  expect(await program.end()).toMatchObject({ code: exitCode, signal: null });
  return program.output;
}

describe('lastcall help', () => {
  it('lists the commands, however it is called, and describes each', async () => {
    const help = await outputOf(['help']);
    for (const args of [[], ['--help'], ['-h']]) expect(await outputOf(args)).toBe(help);
    for (const name of commandNames) expect(help).toMatch(new RegExp(`^  lastcall ${name}\\b`, 'm'));
    expect(await outputOf(['run', '--help'])).toMatch(/^lastcall run: /);
    expect(await outputOf(['unit', 'bot.js', '-h'])).toMatch(/^lastcall unit: /);
    expect(await outputOf(['help', 'inbox'])).toMatch(/^lastcall inbox: /);
    expect(await outputOf(['sandbox', '-h'])).toMatch(/^usage: lastcall sandbox/);
    expect(await outputOf(['help', 'settings'])).toMatch(/^ {2}STOP_TIMEOUT\b/m);
  });

  it('passes arguments after -- to the program', async () => {
    using folder = new Folder({ 'bot.mjs': 'console.log(process.argv.slice(2)); process.exit(0);' });
    expect(await outputOf(['run', folder.file('bot.mjs'), '--', '--help'])).toContain("[ '--help' ]");
  });
});

describe('lastcall version', () => {
  it.each([['version'], ['--version']])('(%s) prints the version in package.json', async (argument) => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(await outputOf([argument])).toBe(`${version}\n`);
  });
});

describe('an unknown command', () => {
  it('is named, with a list of the commands', async () => {
    expect(await outputOf(['rum'], 78)).toBe(
      "lastcall: 'rum' is not a command; expected one of run, status, doctor, history, log, metrics, inbox, config, unit, demo, sandbox, probe, completion, help, version\n",
    );
  });

  it('that looks like a file gets a hint', async () => {
    expect(await outputOf(['./my-bot.js'], 78)).toBe(
      'lastcall: to run the bot in a file, use: lastcall run ./my-bot.js\n',
    );
  });

  it('that is a token is masked', async () => {
    expect(await outputOf([TOKEN], 78, { env: { BOT_TOKEN: TOKEN } })).toContain('471100001:***');
  });
});

describe('lastcall unit', () => {
  it('prints a unit for the bot in this folder, without the token in .env', async () => {
    using folder = new Folder({ 'bot.mjs': '', '.env': `BOT_TOKEN=${TOKEN}\nBOT_MODULE=bot.mjs\n` });
    const output = await outputOf(['unit', '--name=shop'], 0, { cwd: folder.path });
    expect(output).toMatch(/^ExecStart=\S+node \S+\/dist\/main\.js run bot\.mjs$/m);
    expect(output).toMatch(/^StateDirectory=shop$/m);
    expect(output).not.toMatch(/^LoadCredential=/m);
    expect(output).not.toContain(TOKEN);
  });

  it("names lastcall's example bot where no bot is named, and warns of that", async () => {
    using folder = new Folder({ '.env': `BOT_TOKEN=${TOKEN}\n` });
    const output = await outputOf(['unit'], 0, { cwd: folder.path });
    expect(output).toMatch(/^ExecStart=\S+node \S+\/dist\/main\.js run \S+\/dist\/bot\.js$/m);
    expect(output).toMatch(/^warning: no bot is named, so that lastcall's example bot answers everybody/m);
  });

  it('never suggests to open a file with the token to all users', async () => {
    using folder = new Folder({ 'bot.mjs': '', '.env': `BOT_TOKEN=${TOKEN}\n` });
    chmodSync(folder.file('.env'), 0o600);
    const output = await outputOf(['unit', 'bot.mjs', '--name=shop', '--user=65534'], 0, {
      cwd: folder.path,
    });
    expect(output).toMatch(/65534 may not read \S+\.env: move the token to \/etc\/shop\/bot-token/);
    expect(output).not.toMatch(/chmod \S+ \S+\.env/);
  });

  it.each([
    [['no-such-bot.js'], 'there is no file /'],
    [['--user=nobody-of-this-name'], "there is no user 'nobody-of-this-name' on this host"],
    [['--name=a/b'], "--name may only have letters, digits, - and _, but is 'a/b'"],
    [['--colour'], '--colour is not a flag'],
  ])('refuses %j', async (args, why) => {
    using folder = new Folder();
    const output = await outputOf(['unit', ...args], 78, { cwd: folder.path });
    expect(output).toContain(why);
    expect(output).not.toContain('[Service]');
  });
});

describe('lastcall config', () => {
  it('prints the effective settings and their sources, with the token masked', async () => {
    using folder = new Folder({ '.env': `BOT_TOKEN=${TOKEN}\nPOLL_TIMEOUT=20s\n` });
    const table = await outputOf(['config', '--stop-timeout=30s'], 0, { cwd: folder.path });
    expect(table).toMatch(/^BOT_TOKEN +471100001:\*\*\* +\.env:1$/m);
    expect(table).toMatch(/^POLL_TIMEOUT +20s +\.env:2$/m);
    expect(table).toMatch(/^STOP_TIMEOUT +30s +--stop-timeout$/m);
    expect(table).toMatch(/^START_TIMEOUT +60s +default$/m);
    expect(table).not.toContain('NOT-SECRET');
  });

  it('prints JSON, and exits as the daemon would', async () => {
    const env = { BOT_TOKEN: TOKEN, LASTCALL_CONCURRENCY: 'many' };
    await using program = lastcall(['config', '--json'], { env });
    let printed = '';
    program.child.stdout?.on('data', (chunk) => {
      printed += chunk;
    });
    expect(await program.end()).toMatchObject({ code: 78 });
    expect(JSON.parse(printed)).toMatchObject({
      settings: { BOT_TOKEN: { value: '471100001:***', source: 'environment', usable: true } },
      problems: [expect.stringContaining('LASTCALL_CONCURRENCY is "many"')],
    });
  });
});

describe('lastcall sandbox', () => {
  it('serves the Bot API on a free port until Ctrl-C', async () => {
    await using program = lastcall(['sandbox', '--port', '0']);
    const [, apiRoot = '', token = ''] = await program.prints(/TELEGRAM_API_ROOT=(\S+) BOT_TOKEN='(\S+)'/);
    const post = async (path: string, body: object): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${apiRoot}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return answer.json();
    };
    await post('/sandbox/updates', { text: 'hello' });
    expect(await post(`/bot${token}/getUpdates`, {})).toMatchObject({
      ok: true,
      result: [{ message: { text: 'hello' } }],
    });
    await post(`/bot${token}/sendMessage`, { chat_id: 1, text: 'hello yourself' });
    await program.prints(/to chat 1: hello yourself$/m);
    expect(await program.stop('SIGINT')).toMatchObject({ code: 0 });
  });

  it('exits 78 if the port is in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await outputOf(['sandbox', '--port', `${port}`], 78)).toMatch(`port ${port} is in use`);
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('lastcall demo', () => {
  const figure = (output: string, name: string): number =>
    Number(new RegExp(`^  ${name} +(\\d+)`, 'm').exec(output)?.[1]);

  function expectGoodEnd(output: string): void {
    expect(figure(output, 'messages sent')).toBeGreaterThan(1);
    expect(figure(output, 'answered')).toBeGreaterThan(0);
    expect(output).toMatch(/^ {2}lost +0$/m);
    expect(output).toMatch(/^ {2}answered twice +0$/m);
    expect(output).toMatch(/^ {2}the stop took +\d+\.\d\d s$/m);
    expect(output).toMatch(/^ {2}exit code +0$/m);
  }

  it('shows chats and the log, stops the daemon and prints a summary, whatever is in .env', async () => {
    using folder = new Folder({
      '.env': 'POLL_TIMEOUT=nonsense\nBOT_TOKEN_FILE=nowhere\nLOG_LEVEL=silent\n',
    });
    const output = await outputOf(['demo', '--for', '2s'], 0, { cwd: folder.path });
    expectGoodEnd(output);
    expect(output).toMatch(/^\d\d:\d\d:\d\d\.\d{3} Ada: {3}\/start {2}→ {2}Hello, Ada!/m);
    expect(output).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO: {2}Connected to Telegram as @\w+ \(\d+\)$/m);
    expect(output).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO: {2}Stopped cleanly \(SIGINT\), exit code 0; /m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are for terminals
    expect(output).not.toMatch(/\u001b/);
  });

  it('stops cleanly on Ctrl-C, which a terminal sends to the whole group, and answers pending messages', async () => {
    await using program = lastcall(['demo'], { detached: true });
    const group = program.child.pid ?? Number.NaN;
    await program.prints(/^\S+ Ada: .*→/m);
    process.kill(-group, 'SIGINT');
    expect(await program.end()).toMatchObject({ code: 0, signal: null });
    const { output } = program;
    expect(output).toMatch(
      /Stopping \(SIGINT\)[\s\S]*Alan: {2}\/slow {2}→ {2}\/slow: 42\.[\s\S]*What happened:/,
    );
    expect(output).not.toMatch(/Shortening|again/);
    expect(figure(output, 'lost')).toBe(0);
    expect(() => process.kill(-group, 0)).toThrow('ESRCH');
  });

  it.each([
    ['its own process alone gets the signal', (program: Daemon) => program.kill('SIGTERM')],
    ['nobody reads its output any more', (program: Daemon) => program.child.stdout?.destroy()],
  ])('leaves no process behind when %s', async (_, end) => {
    await using program = lastcall(['demo'], { detached: true });
    const group = program.child.pid ?? Number.NaN;
    await program.prints(/^\S+ Ada: .*→/m);
    end(program);
    expect(await program.end()).toMatchObject({ code: 0, signal: null });
    expect(() => process.kill(-group, 0)).toThrow('ESRCH');
  });

  it('exits with the code of a daemon that cannot start', async () => {
    const output = await outputOf(['demo'], 78, { env: { LASTCALL_CONCURRENCY: 'many' } });
    expect(output).toContain('LASTCALL_CONCURRENCY is "many" in the environment');
    expect(output).toMatch(/^ {2}exit code +78$/m);
  });

  it('refuses an invalid --for', async () => {
    expect(await outputOf(['demo', '--for', '3'], 78)).toContain("--for is '3': the unit is missing");
  });
});
