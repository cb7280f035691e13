/** The token and the settings as an unchanged program finds them, and settings that are the program's own. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it, jest } from '@jest/globals';
import { type Daemon, type DaemonOptions, fixture, spawnDaemon } from '../support/daemon.js';
import { openSandbox } from '../support/delivery.js';
import { Folder, repository } from '../support/folder.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const program = fixture('bots', 'tells-settings.js');
const TOKEN = newToken();
const secretPart = TOKEN.slice(TOKEN.indexOf(':') + 1);

/** Waits until the program's bot answers, and stops it. Resolves to its warnings. */
async function answersAndStops(
  sandbox: Awaited<ReturnType<typeof openSandbox>>,
  daemon: Daemon,
): Promise<string[]> {
  const { answers } = await sandbox.ask({ chat: 1, text: 'hello' });
  expect(answers.map(({ text }) => text)).toEqual(['hello']);
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(daemon.output).not.toContain(secretPart);
  return warningsOf(daemon);
}

const warningsOf = ({ lines }: Daemon): string[] =>
  lines.filter(({ event }) => event === 'config.warning').map(({ msg }) => `${msg}`);

describe('a program without BOT_TOKEN in its environment', () => {
  it.each<[string, Record<string, string>]>([
    ['a file', { BOT_TOKEN_FILE: 'token' }],
    ["systemd's credentials", { CREDENTIALS_DIRECTORY: '.' }],
    ['LASTCALL_BOT_TOKEN', { LASTCALL_BOT_TOKEN: TOKEN }],
    ['a file, beside a blank BOT_TOKEN', { LASTCALL_BOT_TOKEN_FILE: 'token', BOT_TOKEN: '' }],
  ])('finds the token that lastcall has from %s there, as do its children', async (_place, env) => {
    await using sandbox = await openSandbox({ token: TOKEN });
    using folder = new Folder({ token: `${TOKEN}\n`, 'bot-token': TOKEN });
    await using daemon = spawnDaemon({
      args: ['run', program],
      env: { TELEGRAM_API_ROOT: sandbox.apiRoot, ...env },
      cwd: folder.path,
    });
    expect(await answersAndStops(sandbox, daemon)).toEqual([]);
    expect(daemon.output).toContain('a child has the same token: true');
  });

  it('keeps one of its own beside that of lastcall', async () => {
    using folder = new Folder({
      'bot.mjs': `console.log('still the same:', process.env.BOT_TOKEN === 'of its own'); process.exit(0);`,
      token: TOKEN,
    });
    await using daemon = spawnDaemon({
      args: ['run', 'bot.mjs'],
      env: { LASTCALL_BOT_TOKEN: TOKEN, BOT_TOKEN: 'of its own' },
      cwd: folder.path,
    });
    await daemon.end();
    expect(daemon.output).toContain('still the same: true');
  });
});

describe("settings that are the program's own", () => {
  const own = { LOG_LEVEL: 'verbose', LOG_FORMAT: 'combined', INBOX: 'a@x.org', CONCURRENCY: 'auto' };
  const told = `settings ${JSON.stringify(own)}`;

  it('are left to it as under node, with a warning that names the way to set those of lastcall', async () => {
    await using sandbox = await openSandbox({ token: TOKEN });
    const options: DaemonOptions = {
      args: ['run', program],
      env: {
        ...own,
        ...{ HANDLER_TIMEOUT: '90000', POLL_TIMEOUT: '30' },
        ...{ BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot },
      },
    };
    await using plain = spawnDaemon({ ...options, file: program, args: [] });
    await plain.prints(/^settings .*$/m);
    expect(plain.output).toContain(told);
    await plain.stop();

    await using daemon = spawnDaemon(options);
    const warnings = await answersAndStops(sandbox, daemon);
    expect(daemon.output).toContain(told);
    expect(warnings).toHaveLength(6);
    expect(warnings).toContainEqual(
      expect.stringMatching(
        /^LOG_LEVEL \(environment\) is left to the bot .* use LASTCALL_LOG_LEVEL or --log-level/,
      ),
    );
  });

  it('are apart from those of lastcall, which have the prefix and come first', async () => {
    await using sandbox = await openSandbox({ token: TOKEN });
    using folder = new Folder({ '.env': 'LASTCALL_CONCURRENCY=7\n' });
    await using daemon = spawnDaemon({
      args: ['run', program],
      env: {
        ...own,
        ...{ LASTCALL_LOG_LEVEL: 'debug', LASTCALL_LOG_FORMAT: 'json', LASTCALL_INBOX: 'memory' },
        ...{ BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot },
      },
      cwd: folder.path,
    });
    expect(await answersAndStops(sandbox, daemon)).toEqual([]);
    expect(daemon.output).toContain(told);
    expect(daemon.lines.some(({ level }) => level === 'debug')).toBe(true);
  });
});

describe('what is around a value', () => {
  it.each([
    ['quotation marks', `"${TOKEN}"`],
    ['quotation marks of the other kind', `'${TOKEN}'`],
    ['an invisible character', `\u200b${TOKEN}`],
    ['"bot"', `bot${TOKEN}`],
  ])('%s around the token: dropped, for the program, too, which is told', async (_what, BOT_TOKEN) => {
    await using sandbox = await openSandbox({ token: TOKEN });
    await using daemon = spawnDaemon({
      args: ['run', program],
      env: { BOT_TOKEN, TELEGRAM_API_ROOT: `"${sandbox.apiRoot}"` },
    });
    expect(await answersAndStops(sandbox, daemon)).toEqual([
      expect.stringMatching(/^BOT_TOKEN \(environment\) has .*: dropped, also for the bot program/),
      expect.stringMatching(/^TELEGRAM_API_ROOT \(environment\) has .*: dropped, also for the bot program/),
    ]);
  });

  it('a file in UTF-16, as PowerShell writes it: read, or refused with the cure', async () => {
    await using sandbox = await openSandbox({ token: TOKEN });
    using folder = new Folder();
    writeFileSync(folder.file('token'), Buffer.from(`\uFEFF${TOKEN}\r\n`, 'utf16le'));
    writeFileSync(folder.file('unmarked'), Buffer.from(TOKEN, 'utf16le'));
    const run = (BOT_TOKEN_FILE: string) =>
      spawnDaemon({
        args: ['run', program],
        env: { BOT_TOKEN_FILE, TELEGRAM_API_ROOT: sandbox.apiRoot },
        cwd: folder.path,
      });
    await using daemon = run('token');
    expect(await answersAndStops(sandbox, daemon)).toEqual([]);
    await using refused = run('unmarked');
    expect(await refused.end()).toMatchObject({ code: 78 });
    expect(refused.output).toMatch(/the file unmarked \(BOT_TOKEN_FILE\) cannot be read: .*save it as UTF-8/);
  });

  it('a blank token is none, and masks nothing of the log', async () => {
    await using daemon = spawnDaemon({
      args: ['run', fixture('modules', 'echo.mjs')],
      env: { LASTCALL_BOT_TOKEN: ' ' },
    });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.output).toMatch(/there is no bot token: send \/newbot to @BotFather/);
    expect(daemon.output).not.toContain('***');
  });
});

describe('a run without a bot that is named', () => {
  it("warns that lastcall's example bot answers", async () => {
    await using sandbox = await openSandbox({ token: TOKEN });
    await using daemon = spawnDaemon({
      args: ['run'],
      env: { BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot },
    });
    const { msg } = await daemon.waitFor('config.warning');
    expect(msg).toMatch(/example bot answers everybody .*`lastcall run bot\.js`, or set BOT_MODULE/);
    await daemon.waitFor('poll.started');
    await daemon.stop();
  });

  const underPm2 = { pm_id: '0', name: 'lastcall', kill_timeout: '95000', exec_mode: 'fork_mode' };

  it('is refused under a supervisor, where the warning might go unread', async () => {
    await using daemon = spawnDaemon({
      args: ['run'],
      ipc: true,
      env: { BOT_TOKEN: TOKEN, ...underPm2 },
    });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.output).toMatch(/^lastcall: which bot\? None is named: .*dist\/bot\.js`$/m);
    expect(daemon.lines).toEqual([]);
  });

  it('runs the example bot, under a supervisor, too, where that is named', async () => {
    await using sandbox = await openSandbox({ token: TOKEN });
    const env = { BOT_TOKEN: TOKEN, TELEGRAM_API_ROOT: sandbox.apiRoot, ...underPm2 };
    await using daemon = spawnDaemon({ args: ['run', `${repository}/dist/bot.js`], ipc: true, env });
    await daemon.waitFor('poll.started');
    expect(warningsOf(daemon)).toEqual([]);
    expect(await daemon.stop()).toMatchObject({ code: 0 });
  });
});

describe('a start that fails', () => {
  it('tells its error with the stack once, and the receipt names it', async () => {
    using folder = new Folder({ 'bot.js': `throw new TypeError('no such thing');` });
    await using daemon = spawnDaemon({
      args: ['run', 'bot.js'],
      env: { BOT_TOKEN: TOKEN },
      cwd: folder.path,
    });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    const withStack = daemon.lines.filter((line) => JSON.stringify(line).includes('"stack"'));
    expect(withStack.map(({ event }) => event)).toEqual(['hook.failed']);
    expect(withStack[0]?.['err']).toMatchObject({ cause: { stack: expect.stringContaining('bot.js:1') } });
    const named = { code: 'BOT_MODULE_FAILED', cause: { type: 'TypeError', message: 'no such thing' } };
    expect(daemon.receipt['err']).toMatchObject(named);
  });
});
