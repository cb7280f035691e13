import { describe, expect, it } from '@jest/globals';
import { completeConfig } from '../../src/config/complete.js';
import { loadConfig } from '../../src/config/load.js';
import { settingKeys } from '../../src/config/schema.js';

/** What is wrong, in words. */
function problemsOf(given: object): string {
  try {
    completeConfig(given, '/');
  } catch (error) {
    expect(error).toMatchObject({ name: 'LastcallError', code: 'CONFIG_INVALID', exitCode: 78 });
    return error instanceof Error ? error.message : '';
  }
  return '';
}

describe('completeConfig', () => {
  it('has the defaults that text has', async () => {
    const { config } = await loadConfig({ env: {}, cwd: '/', readFile: async () => '' });
    const completed = completeConfig({}, '/');
    expect(completed).toEqual(config);
    expect(Object.keys(completed)).toEqual(settingKeys);
  });

  it('reads nothing from the environment', () => {
    process.env['CONCURRENCY'] = '7';
    try {
      expect(completeConfig({}, '/').concurrency).toBe(256);
    } finally {
      delete process.env['CONCURRENCY'];
    }
  });

  it('takes what is given, and for what is given as undefined the default', () => {
    const given = {
      allowedUpdates: ['message', 'callback_query'],
      pollTimeoutMs: 30_000,
      concurrency: 3,
      handlerTimeoutMs: 1,
      stopTimeoutMs: undefined,
      stopAfterMs: 1_500,
      deleteWebhook: false,
      inbox: 'memory',
      stateDir: '/var/lib/bot',
    } as const;
    expect(completeConfig({ ...given, stopTimeoutMs: 90_000 }, '/')).toMatchObject({
      ...given,
      stopTimeoutMs: 90_000,
    });
    expect(completeConfig(given as object, '/').stopTimeoutMs).toBe(90_000);
  });

  it('takes back what was loaded', async () => {
    const env = { BOT_TOKEN: '4711:a-token', STOP_AFTER: '3m', TELEGRAM_API_ROOT: 'http://127.0.0.1:1' };
    const { config } = await loadConfig({ env, cwd: '/', readFile: async () => '' });
    expect(completeConfig(config, '/')).toEqual(config);
  });

  it.each([
    [{ pollTimeoutMs: 50_001 }, 'pollTimeoutMs is 50001: expected a duration'],
    [{ stopTimeoutMs: 0 }, 'stopTimeoutMs is 0: expected a duration'],
    [{ stopTimeoutMs: '30s' }, 'stopTimeoutMs is "30s": expected a duration'],
    [{ handlerTimeoutMs: Number.NaN }, 'handlerTimeoutMs is null: expected a duration'],
    [{ concurrency: 0.5 }, 'concurrency is 0.5: expected a whole number'],
    [{ concurrency: '8' }, 'concurrency is "8": expected a whole number'],
    [{ dropPending: 'no' }, 'dropPending is "no": expected yes or no'],
    [{ allowedUpdates: ['Message!'] }, 'allowedUpdates is ["Message!"]: expected kinds of updates'],
    [{ inbox: 'disk' }, 'inbox is "disk": expected journal, memory, or a URL'],
    [{ stopTimeout: 3 }, 'stopTimeout is not a setting; did you mean stopTimeoutMs?'],
    [{ toString: 3 }, 'toString is not a setting'],
  ])('refuses %j', (given, words) => {
    expect(problemsOf(given)).toContain(words);
  });

  it('does not quote the password in a URL', () => {
    const problems = problemsOf({ telegramApiRoot: 'https://me:hunter2pw@host' });
    expect(problems).toContain('telegramApiRoot cannot be used: it holds a user name');
    expect(problems).not.toContain('hunter2pw');
  });

  it('names everything that is wrong at once, and shows no secret', () => {
    const problems = problemsOf({ botToken: 'my secret', concurrency: 0, colour: 'red' });
    expect(problems.split('\n')).toEqual([
      '3 things are wrong with the settings:',
      '  - colour is not a setting',
      expect.stringMatching(/^ {2}- botToken cannot be used: it does not look like a token/),
      '  - concurrency is 0: expected a whole number of at least 1',
    ]);
  });
});
