import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseArguments } from '../../src/config/arguments.js';
import { type Inputs, loadConfig, readSettings, requireToken } from '../../src/config/load.js';
import { programVariables } from '../../src/config/program-variables.js';
import { prefixedName, settingKeys, settings } from '../../src/config/schema.js';
import { tidied } from '../../src/config/tidy.js';
import { LastcallError } from '../../src/errors.js';

const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const OTHER = '987654321:AAGabcdefghijklmnopqrstuvwxyz012345';

interface Given {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  readonly files?: Record<string, string | Error>;
}

function inputs({ env = {}, args = [], files = {} }: Given): Inputs {
  return {
    env: { HOME: '/home/ann', ...env },
    cwd: '/srv/bot',
    flags: parseArguments(args).flags,
    readFile: async (path) => {
      const file = files[path] ?? failure('ENOENT');
      if (file instanceof Error) throw file;
      return file;
    },
  };
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });
const load = (given: Given = {}) => loadConfig(inputs(given));

/** The message of the error that loading ends in. */
async function refusal(given: Given): Promise<string> {
  const error: unknown = await load(given).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LastcallError)) throw new Error(`no LastcallError but ${String(error)}`);
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.exitCode).toBe(78);
  return error.message;
}

describe('a password in a URL', () => {
  it.each(['http://me:hunter2pw@host', 'http://me:1/hunter2pw@host', 'me:hunter2pw@host'])(
    'does not quote the password in TELEGRAM_API_ROOT=%s',
    async (TELEGRAM_API_ROOT) => {
      const message = await refusal({ env: { TELEGRAM_API_ROOT } });
      expect(message).toContain('TELEGRAM_API_ROOT cannot be used in the environment: it holds a user name');
      expect(message).not.toMatch(/hunter2pw|me:/);
    },
  );
});

describe('what is in force', () => {
  it('is the defaults when nothing is set', async () => {
    const { config, warnings, secrets, envFile } = await load();
    expect(config).toEqual({
      botToken: undefined,
      botTokenFile: undefined,
      botModule: undefined,
      telegramApiRoot: undefined,
      allowedUpdates: [],
      pollTimeoutMs: 50_000,
      concurrency: 256,
      handlerTimeoutMs: 90_000,
      startTimeoutMs: 60_000,
      stopTimeoutMs: 90_000,
      stopAfterMs: undefined,
      conflictPatienceMs: 120_000,
      botFailure: 'keep-others',
      deleteWebhook: true,
      dropPending: false,
      inbox: 'journal',
      inboxFile: undefined,
      durability: 'power',
      maxAttempts: 3,
      retries: 0,
      deadLimit: 100_000,
      deadAgeMs: 2_592_000_000,
      inboxLimit: 1_000_000,
      stateDir: '/home/ann/.local/state/lastcall',
      onLocked: 'wait',
      order: 'chat',
      logLevel: 'info',
      logFormat: 'auto',
      envFile: '/srv/bot/.env',
    });
    expect({ warnings, secrets, envFile }).toEqual({ warnings: [], secrets: [], envFile: undefined });
  });

  it('is the flag, else the environment, else .env, else the default; and it is known which', async () => {
    const files = { '/srv/bot/.env': '# comment\nCONCURRENCY=1\nMAX_ATTEMPTS=1\n export STOP_AFTER="1s"' };
    const env = { CONCURRENCY: '2', MAX_ATTEMPTS: '2', HOME: '' };
    const { config, sources } = await load({ files, env, args: ['--concurrency', '3'] });
    expect(config).toMatchObject({ concurrency: 3, maxAttempts: 2, stopAfterMs: 1_000, onLocked: 'wait' });
    expect(sources).toMatchObject({
      concurrency: { kind: 'flag', flag: 'concurrency' },
      maxAttempts: { kind: 'environment' },
      stopAfterMs: { kind: 'env-file', path: '.env', line: 4 },
      onLocked: { kind: 'default' },
    });
  });

  it('has names with the prefix before names without it, wherever either stands', async () => {
    const files = {
      '/srv/bot/.env': 'LASTCALL_CONCURRENCY=1\nLASTCALL_RETRIES=1\nORDER=user\nLASTCALL_ORDER=none',
    };
    const env = { CONCURRENCY: '2', RETRIES: '2', LASTCALL_RETRIES: '3', LASTCALL_MAX_ATTEMPTS: '4' };
    const { config, sources } = await load({ files, env, args: ['--max-attempts', '5'] });
    expect(config).toMatchObject({ concurrency: 1, retries: 3, order: 'none', maxAttempts: 5 });
    expect(sources).toMatchObject({
      concurrency: { kind: 'env-file', prefixedName: 'LASTCALL_CONCURRENCY', path: '.env', line: 1 },
      retries: { kind: 'environment', prefixedName: 'LASTCALL_RETRIES' },
      maxAttempts: { kind: 'flag', flag: 'max-attempts' },
    });
  });

  it('is the default where a value is blank, whatever weaker sources say', async () => {
    const files = { '/srv/bot/.env': 'STOP_AFTER=1s\nLOG_LEVEL=\nBOT_TOKEN=\n' };
    const { config } = await load({ files, env: { STOP_AFTER: ' ' } });
    expect(config).toMatchObject({ stopAfterMs: undefined, logLevel: 'info', botToken: undefined });
  });

  it('disregards space around a value', async () => {
    const { config } = await load({ env: { LOG_LEVEL: ' debug\n' } });
    expect(config.logLevel).toBe('debug');
  });

  it('has paths that start at the working directory', async () => {
    const { config } = await load({ env: { BOT_MODULE: 'my-bot.js', STATE_DIR: '/var/x' } });
    expect(config).toMatchObject({ botModule: '/srv/bot/my-bot.js', stateDir: '/var/x' });
  });
});

describe('the state folder', () => {
  it.each([
    [{ STATE_DIRECTORY: '/var/lib/a:/var/lib/b', XDG_STATE_HOME: '/x' }, '/var/lib/a', 'STATE_DIRECTORY'],
    [{ XDG_STATE_HOME: '/x' }, '/x/lastcall', 'XDG_STATE_HOME'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/h' }, '/h/.local/state/lastcall', 'the home directory'],
  ])('is derived from %j', async (env, stateDir, from) => {
    const { config, sources } = await load({ env });
    expect(config.stateDir).toBe(stateDir);
    expect(sources.stateDir).toEqual({ kind: 'default', from });
  });
});

describe('.env', () => {
  it('may be missing, but not where it was asked for', async () => {
    expect(await refusal({ args: ['--env-file', 'other.env'] })).toBe(
      'the file other.env (ENV_FILE) cannot be read: there is no such file',
    );
  });

  it('is read from where ENV_FILE says, and its variables are handed on', async () => {
    const { config, envFile } = await load({
      env: { ENV_FILE: '/etc/bot.env' },
      files: { '/etc/bot.env': '\uFEFFLOG_LEVEL=warn\r\nDATABASE_URL=postgres://x\r\n' },
    });
    expect(config.logLevel).toBe('warn');
    expect(envFile).toEqual({
      path: '/etc/bot.env',
      variables: { LOG_LEVEL: 'warn', DATABASE_URL: 'postgres://x' },
    });
  });

  it.each([
    ['EISDIR', 'it is a folder'],
    ['EACCES', 'permission denied'],
    ['EWEIRD', 'EWEIRD'],
  ])('that cannot be read for %s is a problem', async (code, why) => {
    expect(await refusal({ files: { '/srv/bot/.env': failure(code) } })).toBe(
      `the file .env (ENV_FILE) cannot be read: ${why}`,
    );
  });

  it('brings a warning for a name that looks like one of ours', async () => {
    const { warnings } = await load({
      files: { '/srv/bot/.env': 'LOG_LEVL=debug\nbot_token=x\nENV_FILE=y\nDATABASE_URL=z\nPORT=1' },
      env: { STOP_TIMEOT: '1s' },
    });
    expect(warnings).toEqual([
      'ENV_FILE has no effect in .env: set it in the environment, or as a flag',
      '.env sets LOG_LEVL, which is not a setting; did you mean LOG_LEVEL?',
      '.env sets bot_token, which is not a setting; did you mean BOT_TOKEN?',
    ]);
  });

  it('never changes the environment', async () => {
    const given = inputs({ files: { '/srv/bot/.env': 'LOG_LEVEL=warn' } });
    const before = { ...given.env };
    await loadConfig(given);
    expect(given.env).toEqual(before);
    expect(process.env['LOG_LEVEL']).toBeUndefined();
  });
});

describe('the inbox', () => {
  const URL = 'postgres://bot:a-password@127.0.0.1/bots';

  it.each<[string, Given, string]>([
    ['a file', { env: { INBOX_FILE: 'url' }, files: { '/srv/bot/url': `${URL}\n` } }, '/srv/bot/url'],
    [
      "systemd's credentials",
      { env: { CREDENTIALS_DIRECTORY: '/run/c' }, files: { '/run/c/inbox': URL } },
      '/run/c/inbox',
    ],
  ])('may be named in %s', async (_place, given, path) => {
    const { config, sources, warnings } = await load(given);
    expect(config.inbox).toBe(URL);
    expect(sources.inbox).toMatchObject({
      kind: 'secret-file',
      path: expect.stringContaining(basename(path)),
    });
    expect(warnings).toEqual([]);
  });

  it('cannot be named in two places, of which one may hold updates', async () => {
    const files = { '/srv/bot/url': URL, '/srv/bot/.env': 'INBOX=journal' };
    const message = await refusal({ env: { INBOX_FILE: 'url' }, files });
    expect(message).toBe(
      'the inbox is set more than once, by INBOX (.env:1) and by INBOX_FILE (environment): keep one of them',
    );
  });

  it.each([
    ['that is missing', undefined, 'the file url (INBOX_FILE) cannot be read: there is no such file'],
    ['that is empty', ' \n', 'the file url (INBOX_FILE) is empty; a postgres:// URL was expected in it'],
    ['with a password alone', 'a-password\n', 'INBOX cannot be used in INBOX_FILE (url): expected'],
    ['with a wrong URL', 'postgres://bot:a-pass/word@h/d', 'INBOX cannot be used in INBOX_FILE (url)'],
  ])('in a file %s is a problem, and is not shown', async (_what, text, words) => {
    const files = text === undefined ? {} : { '/srv/bot/url': text };
    const message = await refusal({ env: { INBOX_FILE: 'url' }, files });
    expect(message).toContain(words);
    expect(message).not.toContain('a-pass');
  });
});

describe('the token', () => {
  it.each<[string, Given]>([
    ['the environment', { env: { BOT_TOKEN: `${TOKEN}\n` } }],
    ['.env', { files: { '/srv/bot/.env': `BOT_TOKEN=${TOKEN}` } }],
    ['a file', { env: { BOT_TOKEN_FILE: 'token' }, files: { '/srv/bot/token': `\n${TOKEN}\r\n` } }],
    [
      "systemd's credentials",
      { env: { CREDENTIALS_DIRECTORY: '/run/c' }, files: { '/run/c/bot-token': `${TOKEN}\n` } },
    ],
  ])('comes from %s', async (_place, given) => {
    const { config, secrets } = await load(given);
    expect(config.botToken).toBe(TOKEN);
    expect(secrets).toEqual([TOKEN]);
    expect(requireToken(config)).toBe(TOKEN);
  });

  it('is known by the file it came from', async () => {
    const { sources } = await load({
      env: { CREDENTIALS_DIRECTORY: '/run/c' },
      files: { '/run/c/bot-token': TOKEN },
    });
    expect(sources.botToken).toEqual({ kind: 'secret-file', path: '/run/c/bot-token', named: 'credential' });
  });

  it('counts as not set when it is empty, or the credentials hold none', async () => {
    const { config } = await load({ env: { BOT_TOKEN: '', CREDENTIALS_DIRECTORY: '/run/c' } });
    expect(config.botToken).toBeUndefined();
  });

  it('cannot come from two places', async () => {
    const files = {
      '/run/c/bot-token': OTHER,
      '/srv/bot/token': OTHER,
      '/srv/bot/.env': `BOT_TOKEN=${TOKEN}`,
    };
    const env = { BOT_TOKEN_FILE: 'token', CREDENTIALS_DIRECTORY: '/run/c' };
    expect(await refusal({ env, files })).toBe(
      "the token is set more than once, by BOT_TOKEN (.env:1) and by BOT_TOKEN_FILE (environment) and by systemd's credential bot-token: keep one of them",
    );
  });

  it.each<[string, Given, string]>([
    [
      'missing',
      { args: ['--bot-token-file', 'x'] },
      'the file x (BOT_TOKEN_FILE) cannot be read: there is no such file',
    ],
    [
      'empty',
      { env: { BOT_TOKEN_FILE: 'x' }, files: { '/srv/bot/x': ' \n' } },
      'the file x (BOT_TOKEN_FILE) is empty; a token was expected in it',
    ],
    [
      'in two lines',
      { env: { BOT_TOKEN_FILE: 'x' }, files: { '/srv/bot/x': `${TOKEN}\n${OTHER}` } },
      'BOT_TOKEN cannot be used in BOT_TOKEN_FILE (x): it does not look like a token',
    ],
  ])('that is in a file which is %s is a problem', async (_what, given, words) => {
    const message = await refusal(given);
    expect(message).toContain(words);
    expect(message).not.toContain('AA');
  });

  it('is never repeated, wherever it was put by mistake', async () => {
    const misplaced = settingKeys
      .filter((key) => key !== 'botToken')
      .map((key) => [prefixedName(settings[key]), TOKEN] as const);
    const message = await refusal({
      env: { ...Object.fromEntries(misplaced), BOT_TOKEN: `bot:${TOKEN}` },
      args: ['--bot-token', TOKEN, '--token', OTHER, TOKEN, `--x=${TOKEN}`, `--${TOKEN}`],
    });
    expect(message).toContain('LASTCALL_CONCURRENCY is "123456789:***" in the environment');
    expect(message).not.toContain('AA');
  });

  it('is missed in words that say where to get one', () => {
    expect(() => requireToken({ botToken: undefined })).toThrow(/@BotFather.*BOT_TOKEN.*npm run demo/);
  });
});

describe('a password in a setting', () => {
  it('is refused on a command line', async () => {
    const loading = load({ args: ['--inbox', 'postgres://bot:secret@localhost/bots'] });
    await expect(loading).rejects.toThrow(/--inbox holds a password.*set INBOX in the environment/);
    await expect(loading).rejects.not.toThrow(/secret/);
  });
});

describe('settings of a name that programs use, too', () => {
  const theirs = {
    LOG_LEVEL: 'verbose',
    LOG_FORMAT: 'combined',
    INBOX: 'imap://me:password@host',
    CONCURRENCY: 'auto',
    HANDLER_TIMEOUT: '90000',
    POLL_TIMEOUT: '30',
    ORDER: 'desc',
  };
  const asLines = Object.entries(theirs)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

  it.each([
    ['the environment', { env: theirs }],
    ['.env', { files: { '/srv/bot/.env': asLines } }],
  ])('are left to them with a warning where lastcall cannot use them: %s', async (_place, given) => {
    const [{ config, warnings, tidiedVariables }, { config: defaults }] = await Promise.all([
      load(given),
      load(),
    ]);
    expect(config).toEqual(defaults);
    expect(tidiedVariables).toEqual({});
    expect(warnings).toHaveLength(Object.keys(theirs).length);
    for (const name of Object.keys(theirs))
      expect(warnings).toContainEqual(expect.stringMatching(`^${name} \\(.*use LASTCALL_${name} or --`));
    expect(warnings.join()).not.toContain('password');
  });

  it('are no matter where the value can only be meant for lastcall', async () => {
    const loading = load({ env: { INBOX: 'postgres://bot:se/cret@host/bots' } });
    await expect(loading).rejects.toThrow(
      /INBOX is "postgres:\/\/\*\*\*" in the environment: it is not a URL/,
    );
  });

  it('are no matter where lastcall has its own, even a blank one', async () => {
    const ours = { LASTCALL_LOG_LEVEL: 'debug', LASTCALL_CONCURRENCY: '', LASTCALL_POLL_TIMEOUT: '10s' };
    const { LOG_LEVEL, CONCURRENCY, POLL_TIMEOUT } = theirs;
    const { config, warnings } = await load({ env: { ...ours, LOG_LEVEL, CONCURRENCY, POLL_TIMEOUT } });
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ logLevel: 'debug', concurrency: 256, pollTimeoutMs: 10_000 });
  });

  it.each(['DURABILITY', 'DROP_PENDING', 'ON_LOCKED', 'CONFLICT_PATIENCE', 'TELEGRAM_API_ROOT', 'BOT_TOKEN'])(
    'do not count %s, in which a slip is refused',
    async (name) => {
      expect(await refusal({ env: { [name]: 'pwoer' } })).toMatch(new RegExp(`^${name} `));
    },
  );

  it('are refused as flags and with the prefix', async () => {
    expect(await refusal({ args: ['--log-level', 'verbose'] })).toContain('--log-level is "verbose"');
    expect(await refusal({ files: { '/srv/bot/.env': 'LASTCALL_LOG_LEVEL=verbose' } })).toContain(
      'LASTCALL_LOG_LEVEL is "verbose" in .env:1',
    );
  });
});

describe('what is around a value', () => {
  it.each([
    ['"', '"'],
    ["'", "'"],
    ['“', '”'],
    ['\u200b', ''],
    ['\uFEFF"', '\u00a0"\r'],
    [' "', '"\r\n'],
  ])('is dropped with a warning: %j and %j', async (before, after) => {
    const [TELEGRAM_API_ROOT, LOG_LEVEL] = ['http://127.0.0.1:8081', 'debug'].map(
      (value) => `${before}${value}${after}`,
    );
    const { config, warnings, tidiedVariables } = await load({
      env: { TELEGRAM_API_ROOT, LOG_LEVEL } as never,
    });
    expect(config).toMatchObject({ telegramApiRoot: 'http://127.0.0.1:8081', logLevel: 'debug' });
    // A program that reads it would stumble over it; the log level may be the program's own.
    expect(tidiedVariables).toEqual({ TELEGRAM_API_ROOT: 'http://127.0.0.1:8081' });
    expect(warnings).toEqual([
      expect.stringMatching(/^TELEGRAM_API_ROOT \(environment\) has .*: dropped, also for the bot program/),
      expect.stringMatching(/^LOG_LEVEL \(environment\) has .*: dropped$/),
    ]);
  });

  it('is no warning where it is plain white space', async () => {
    const { warnings, tidiedVariables } = await load({ env: { BOT_TOKEN: ` ${TOKEN}\r\n` } });
    expect({ warnings, tidiedVariables }).toEqual({ warnings: [], tidiedVariables: { BOT_TOKEN: TOKEN } });
  });

  it.each([' ', '\t\n', '""', "' '", '\u200b', '\uFEFF\r\n', '\u00a0'])(
    'alone is no value: %j',
    async (blank) => {
      const { config } = await load({
        env: { BOT_TOKEN: blank, LASTCALL_STOP_AFTER: blank, STATE_DIR: blank },
      });
      expect(config).toMatchObject({ botToken: undefined, stopAfterMs: undefined });
      expect(config.stateDir).toBe('/home/ann/.local/state/lastcall');
      expect(await refusal({ env: { BOT_TOKEN_FILE: 'x' }, files: { '/srv/bot/x': blank } })).toContain(
        'the file x (BOT_TOKEN_FILE) is empty',
      );
    },
  );

  it('leaves quotation marks that are no pair around the value', async () => {
    const { config } = await load({ env: { ALLOWED_UPDATES: '["message"]', STATE_DIR: '/a"b"' } });
    expect(config).toMatchObject({ allowedUpdates: ['message'], stateDir: '/a"b"' });
    expect(await refusal({ env: { DURABILITY: '"power' } })).toContain('DURABILITY is "\\"power"');
  });

  it('never costs the token, nor shows it, wherever that comes from', async () => {
    const invisible = fc.constantFrom(
      '\u200b',
      '\u200c',
      '\u200d',
      '\u2060',
      '\uFEFF',
      '\u00a0',
      '\r',
      '\n',
      ' ',
    );
    const quotes = fc.constantFrom(['"', '"'], ["'", "'"], ['`', '`'], ['“', '”'], ['«', '»']);
    const around = fc.array(
      fc.oneof(
        invisible.map((it) => [it, '']),
        invisible.map((it) => ['', it]),
        quotes,
      ),
      {
        maxLength: 5,
      },
    );
    const decorated = fc
      .tuple(around, fc.constantFrom('', 'bot', 'BOT'), fc.constantFrom('', '\u200b', '\u2060', '\uFEFF'))
      .map(([layers, prefix, within]) =>
        layers.reduce(
          (text, [before, after]) => `${before}${text}${after}`,
          prefix + TOKEN.replace(':', `:${within}`),
        ),
      );
    const places: ((text: string) => Given)[] = [
      (text) => ({ env: { BOT_TOKEN: text } }),
      (text) => ({ env: { LASTCALL_BOT_TOKEN: text } }),
      (text) => ({ env: { BOT_TOKEN_FILE: 'x' }, files: { '/srv/bot/x': text } }),
      (text) => ({ env: { CREDENTIALS_DIRECTORY: '/c' }, files: { '/c/bot-token': text } }),
    ];
    await fc.assert(
      fc.asyncProperty(decorated, fc.constantFrom(...places), async (text, given) => {
        const loaded = await load(given(text));
        expect(loaded.config.botToken).toBe(TOKEN);
        expect(loaded.secrets).toEqual([TOKEN]);
        expect(programVariables(given(text).env ?? {}, loaded)['BOT_TOKEN'] ?? text).toBe(TOKEN);
        expect(loaded.warnings.join()).not.toContain('AA');
      }),
    );
  });
});

describe('what is wrong', () => {
  it('is told at once, each with its place, its value and what is expected', async () => {
    const message = await refusal({
      env: { LASTCALL_POLL_TIMEOUT: '70s', BOT_TOKEN: 'secret-but-no-token', DURABILITY: 'pwoer' },
      args: ['--stop-after', '10', '--concurency', '2'],
      files: { '/srv/bot/.env': '\nLASTCALL_CONCURRENCY=many' },
    });
    expect(message.split('\n')).toEqual([
      '6 things are wrong with the settings:',
      '  - --concurency is not a flag; did you mean --concurrency?',
      expect.stringMatching(
        /^ {2}- BOT_TOKEN cannot be used in the environment: it does not look like a token; expected/,
      ),
      '  - LASTCALL_POLL_TIMEOUT is "70s" in the environment: expected a duration with its unit, such as 500ms, 30s, 2m or 1h, from 0s to 50s in steps of 1s',
      '  - LASTCALL_CONCURRENCY is "many" in .env:2: expected a whole number of at least 1',
      expect.stringMatching(
        /^ {2}- --stop-after is "10" on the command line: the unit is missing; expected a duration/,
      ),
      '  - DURABILITY is "pwoer" in the environment: expected one of power, process',
    ]);
  });

  it('names the settings as culprit', async () => {
    const error = await load({ env: { LASTCALL_POLL_TIMEOUT: 'x', DEAD_LIMIT: '0' } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ culprit: 'POLL_TIMEOUT, DEAD_LIMIT' });
  });

  it.each(['HANDLER_TIMEOUT', 'START_TIMEOUT', 'STOP_TIMEOUT', 'STOP_AFTER'])(
    '%s cannot be 0s',
    async (name) => {
      expect(await refusal({ env: { [`LASTCALL_${name}`]: '0s' } })).toContain(`${name} is "0s"`);
    },
  );

  it('leaves the other settings in force for those who only look', async () => {
    const reading = await readSettings(inputs({ env: { LASTCALL_POLL_TIMEOUT: 'x', CONCURRENCY: '7' } }));
    expect(reading.values.concurrency).toBe(7);
    expect('pollTimeoutMs' in reading.values).toBe(false);
    expect(reading.problems).toHaveLength(1);
  });

  it('is a stop, if one comes while a file is read', async () => {
    const controller = new AbortController();
    const loading = loadConfig({
      ...inputs({}),
      signal: controller.signal,
      readFile: (_path, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    });
    controller.abort('SIGTERM');
    await expect(loading).rejects.toBe('SIGTERM');
  });
});

describe('any environment', () => {
  const names = settingKeys.flatMap((key) => [settings[key].name, prefixedName(settings[key])]);
  const values = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '1', '5s', 'yes', 'memory', '[]'),
  );

  it('gives settings, or an error that names every bad one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), values), async (env) => {
        const { problems } = await readSettings(inputs({ env }));
        if (problems.length === 0) {
          const { config } = await load({ env });
          expect(Object.keys(config).sort()).toEqual([...settingKeys].sort());
          return;
        }
        const message = await refusal({ env });
        for (const { culprit, sentence } of problems) {
          expect(message).toContain(sentence);
          expect(sentence).toContain(culprit);
        }
        for (const key of settingKeys) {
          const { name, type, secret } = settings[key];
          if (secret) continue;
          const text = tidied(env[prefixedName(settings[key])] ?? '').text;
          if (text === '' || 'value' in type.parse(text, '/srv/bot')) continue;
          expect(problems.map(({ culprit }) => culprit)).toContain(name);
        }
      }),
    );
  });

  it('is read the same from .env as from the environment', async () => {
    const plain = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), plain), async (variables) => {
        delete variables['ENV_FILE'];
        delete variables['LASTCALL_ENV_FILE'];
        const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
        const fromEnvironment = await readSettings(inputs({ env: variables }));
        const fromFile = await readSettings(inputs({ files: { '/srv/bot/.env': text.join('') } }));
        expect(fromFile.values).toEqual(fromEnvironment.values);
        expect(fromFile.problems).toHaveLength(fromEnvironment.problems.length);
      }),
    );
  });
});
