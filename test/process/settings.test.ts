/** Settings as people get them wrong, and the places they may come from, on the built program. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.js';
import { type Daemon, fixture, spawnDaemon } from '../support/daemon.js';
import { Folder } from '../support/folder.js';
import { newToken } from '../support/token.js';

jest.setTimeout(30_000);

const TOKEN = newToken('SETTINGS-TEST-TOKEN-NOT-SECRET-1234');
const OTHER_TOKEN = newToken('SETTINGS-TEST-TOKEN-NOT-SECRET-5678');
/** Of a bot that nothing has polled before: a server makes quick successors wait. */
const FRESH_TOKEN = newToken('SETTINGS-TEST-TOKEN-NOT-SECRET-9012');
const tokens = [TOKEN, OTHER_TOKEN, FRESH_TOKEN];
const secretParts = tokens.map((token) => token.slice(token.indexOf(':') + 1));

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ tokens });
});
afterAll(() => sandbox.close());

/** With the sandbox in Telegram's place. */
function run(
  env: Readonly<Record<string, string>>,
  options: { cwd?: string; args?: readonly string[] } = {},
): Daemon {
  const { cwd, args = [] } = options;
  return spawnDaemon({
    args: ['run', ...args],
    env: { TELEGRAM_API_ROOT: sandbox.apiRoot, ...env },
    ...(cwd !== undefined && { cwd }),
  });
}

function expectNoSecret(output: string): void {
  for (const secret of secretParts) expect(output).not.toContain(secret);
}

/** The id of the bot it connects as; then it is stopped. */
async function connectedAs(daemon: Daemon): Promise<unknown> {
  const { id } = await daemon.waitFor('poll.connected');
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expectNoSecret(daemon.output);
  return id;
}

describe('wrong settings', () => {
  it('are all named at once, in plain words, with nothing secret in them, and end in 78', async () => {
    using folder = new Folder({ '.env': '# mine\nLASTCALL_HANDLER_TIMEOUT=soon\nPOLL_TIMEOUT=10s\n' });
    await using daemon = run(
      {
        BOT_TOKEN: `"${TOKEN}`,
        LASTCALL_POLL_TIMEOUT: '50',
        DURABILITY: 'disk',
        TELEGRAM_API_ROOT: `https://api.telegram.org/bot${OTHER_TOKEN}`,
      },
      { cwd: folder.path, args: ['--concurrency', '0', '--stop-timout=5s'] },
    );
    expect(await daemon.end()).toMatchObject({ code: 78, signal: null });
    const [first, ...lines] = daemon.output.trimEnd().split('\n');
    expect(first).toBe('lastcall: 7 things are wrong with the settings:');
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}- --stop-timout is not a flag; did you mean --stop-timeout\?$/),
      expect.stringMatching(/^ {2}- BOT_TOKEN cannot be used in the environment: .*@BotFather gives it/),
      expect.stringMatching(
        /^ {2}- TELEGRAM_API_ROOT is ".*bot\d+:\*{3}" .*: it holds a bot token, which belongs in/,
      ),
      expect.stringMatching(
        /^ {2}- LASTCALL_POLL_TIMEOUT is "50" in the environment: the unit is missing; .* 500ms, 30s/,
      ),
      expect.stringMatching(/^ {2}- --concurrency is "0" on the command line: expected a whole number/),
      expect.stringMatching(/^ {2}- LASTCALL_HANDLER_TIMEOUT is "soon" in \.env:2: expected a duration/),
      expect.stringMatching(/^ {2}- DURABILITY is "disk" in the environment: expected one of power, process/),
      expect.stringMatching(/^What to do: .*`lastcall config`/),
    ]);
    expectNoSecret(daemon.output);
  });

  it('that are probably slips are warned of, and do not keep the bot from running', async () => {
    using folder = new Folder({ '.env': `BOT_TOKEN=${TOKEN}\nPOLL_TIMOUT=10s\n` });
    await using daemon = run({}, { cwd: folder.path });
    expect(await daemon.waitFor('config.warning')).toMatchObject({
      level: 'warn',
      msg: '.env sets POLL_TIMOUT, which is not a setting; did you mean POLL_TIMEOUT?',
    });
    expect(await connectedAs(daemon)).toBe(Number.parseInt(TOKEN, 10));
  });
});

describe('without a token', () => {
  it('the example bot says at once how to get one, or to try the demo', async () => {
    await using daemon = run({});
    expect(await daemon.end()).toMatchObject({ code: 78 });
    const words = daemon.output.trimEnd().split('\n');
    expect(words[0]).toMatch(
      /^lastcall: there is no bot token: .*\/newbot to @BotFather.*BOT_TOKEN.*npm run demo/,
    );
    expect(words).toHaveLength(2);
  });

  it('a module that wants lastcall to build the bot says the same', async () => {
    await using daemon = run({}, { args: [fixture('modules', 'echo.mjs')] });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt).toMatchObject({
      exitCode: 78,
      err: { code: 'CONFIG_INVALID', culprit: 'BOT_TOKEN' },
    });
    expect(daemon.output).toMatch(/@BotFather.*npm run demo/);
  });

  it('a program that brings its own does not miss it', async () => {
    using folder = new Folder({
      'bot.mjs': `import { Telegraf } from 'telegraf'; new Telegraf(process.env.MY_TOKEN).launch();`,
    }).linkPackages();
    await using daemon = run({ MY_TOKEN: TOKEN }, { args: [folder.file('bot.mjs')] });
    expect(await connectedAs(daemon)).toBe(Number.parseInt(TOKEN, 10));
  });
});

describe('a token that Telegram does not take', () => {
  it.each([
    ['unknown', newToken('SETTINGS-TEST-TOKEN-NOT-SECRET-9999'), '401 Unauthorized'],
    ['malformed', '471100009:short', '404 Not Found'],
  ])('(%s) ends in 78, with words on where to get the current one', async (_, token, answer) => {
    await using daemon = run({ BOT_TOKEN: token });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.receipt).toMatchObject({
      level: 'error',
      exitCode: 78,
      outcome: 'clean',
      reason: `Telegram has refused the token: ${answer}`,
      err: { code: 'TOKEN_REFUSED', nextStep: expect.stringContaining('@BotFather') },
    });
  });
});

describe('the token', () => {
  it('may come from a file, its name relative to the working directory', async () => {
    using folder = new Folder({ 'secrets/token': `${TOKEN}\n` });
    await using daemon = run({ BOT_TOKEN_FILE: 'secrets/token' }, { cwd: folder.path });
    expect(await connectedAs(daemon)).toBe(Number.parseInt(TOKEN, 10));
  });

  it("may come from systemd's credentials", async () => {
    using folder = new Folder({ 'bot-token': TOKEN });
    await using daemon = run({ CREDENTIALS_DIRECTORY: folder.path });
    expect(await connectedAs(daemon)).toBe(Number.parseInt(TOKEN, 10));
  });

  it('may come from .env, which the environment comes before', async () => {
    using folder = new Folder({ '.env': `BOT_TOKEN='${TOKEN}'\n` });
    await using fromFile = run({}, { cwd: folder.path });
    await using fromEnvironment = run({ BOT_TOKEN: OTHER_TOKEN }, { cwd: folder.path });
    expect(await connectedAs(fromFile)).toBe(Number.parseInt(TOKEN, 10));
    expect(await connectedAs(fromEnvironment)).toBe(Number.parseInt(OTHER_TOKEN, 10));
  });

  it('from two places at once is refused, naming both', async () => {
    using folder = new Folder({ token: OTHER_TOKEN, '.env': 'BOT_TOKEN_FILE=token' });
    await using daemon = run({ BOT_TOKEN: TOKEN }, { cwd: folder.path });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.output).toMatch(
      /set more than once, by BOT_TOKEN \(environment\) and by BOT_TOKEN_FILE \(\.env:1\)/,
    );
    expectNoSecret(daemon.output);
  });

  it.each([
    ['is missing', 'nowhere', /the file nowhere \(BOT_TOKEN_FILE\) cannot be read: there is no such file/],
    ['is empty', 'empty', /the file empty \(BOT_TOKEN_FILE\) is empty/],
    ['is a folder', '.', /cannot be read: it is a folder/],
  ])('in a file that %s ends in 78', async (_, file, words) => {
    using folder = new Folder({ empty: '\n' });
    await using daemon = run({ BOT_TOKEN_FILE: file }, { cwd: folder.path });
    expect(await daemon.end()).toMatchObject({ code: 78 });
    expect(daemon.output).toMatch(words);
  });
});

describe('settings', () => {
  it('come from flags before the environment, and from the environment before .env', async () => {
    using folder = new Folder({
      '.env': 'STOP_TIMEOUT=11s\nPOLL_TIMEOUT=12s\nSTART_TIMEOUT=13s\nMY_OWN=from .env\n',
      'bot.mjs': `export default ({ bot, log }) => {
        bot.use(() => {});
        log.info({ event: "mine", value: process.env.MY_OWN });
      };`,
    });
    await using daemon = run(
      { BOT_TOKEN: FRESH_TOKEN, STOP_TIMEOUT: '21s', POLL_TIMEOUT: '22s' },
      { cwd: folder.path, args: ['bot.mjs', '--stop-timeout', '31s'] },
    );
    const loading = await daemon.waitFor(({ event, hook }) => event === 'hook.starting' && hook === 'bot');
    expect(loading['limitMs']).toBeCloseTo(13_000, -3);
    expect((await daemon.waitFor('mine'))['value']).toBe('from .env');
    const bot = sandbox.bot(FRESH_TOKEN);
    const polls = () => bot.calls({ method: 'getUpdates' });
    await sandbox.waitFor(() => polls().some(({ parameters }) => Number(parameters['timeout']) === 22));
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    expect((await daemon.waitFor('lifecycle.stopping'))['budgetMs']).toBe(31_000);
  });
});
