import { describe, expect, it } from '@jest/globals';
import { checkSettings, type SettingsFacts } from '../../../src/cli/doctor/settings.js';
import { readSettings } from '../../../src/config/load.js';
import { textOf, troubles } from '../../support/findings.js';
import { newToken } from '../../support/token.js';

const TOKEN = newToken();

async function check(
  env: Readonly<Record<string, string>>,
  { envFile = '', ...more }: Partial<SettingsFacts> & { readonly envFile?: string } = {},
) {
  const readFile = async (path: string) => {
    if (path.endsWith('.env') && envFile !== '') return envFile;
    throw Object.assign(new Error('none'), { code: 'ENOENT' });
  };
  const reading = await readSettings({ env: { HOME: '/home/ann', ...env }, cwd: '/srv/bot', readFile });
  const facts = { of: undefined, closedToken: undefined, envFileMode: 0o600, isBotNamed: true };
  return checkSettings({ reading, ...facts, ...more });
}

describe('settings', () => {
  it('are well, and never shown with the token', async () => {
    const found = await check({ BOT_TOKEN: TOKEN, STOP_TIMEOUT: '30s' });
    expect(troubles(found)).toEqual([]);
    expect(textOf(found)).toContain('2 set, the others as by default');
    expect(textOf(found)).not.toContain(TOKEN.split(':')[1]);
  });

  it('are named one by one where they are wrong, or probably not meant', async () => {
    const found = await check({
      BOT_TOKEN: TOKEN,
      LASTCALL_POLL_TIMEOUT: '50',
      DURABILITY: 'disk',
      LASTCALL_STOP_TIMOUT: '5s',
    });
    expect(troubles(found)).toEqual(['settings: wrong', 'settings: wrong', 'settings: warning']);
    expect(textOf(found)).toMatch(
      /LASTCALL_POLL_TIMEOUT is "50"[\s\S]*DURABILITY is "disk"[\s\S]*STOP_TIMEOUT/,
    );
  });

  it('say whose they are', async () => {
    expect(textOf(await check({ BOT_TOKEN: TOKEN }, { of: 'lastcall.service' }))).toContain(
      'as lastcall.service has them',
    );
  });
});

describe('a token', () => {
  it('is missed where lastcall itself would build the bot', async () => {
    expect(troubles(await check({}, { isBotNamed: false }))).toEqual(['token: wrong']);
  });

  it('may be elsewhere for a program', async () => {
    expect(troubles(await check({}))).toEqual(['token: skipped']);
  });

  it('may be closed to this user', async () => {
    const found = await check({}, { closedToken: 'The token is closed' });
    expect(troubles(found)).toEqual(['token: skipped']);
    expect(textOf(found)).toContain('sudo lastcall doctor');
  });

  it('is not missed beside the problem that it has', async () => {
    const found = await check({ BOT_TOKEN: 'nonsense' }, { isBotNamed: false });
    expect(troubles(found)).toEqual(['settings: wrong', 'token: skipped']);
  });
});

describe('.env', () => {
  const envFile = `BOT_TOKEN=${TOKEN}\n`;

  it('with secrets is not for everybody', async () => {
    const found = await check({}, { envFile, envFileMode: 0o644 });
    expect(troubles(found)).toEqual(['.env: warning']);
    expect(textOf(found)).toContain('chmod 600 /srv/bot/.env');
  });

  it('is well for its owner and group, and without secrets', async () => {
    expect(troubles(await check({}, { envFile, envFileMode: 0o640 }))).toEqual([]);
    const plain = await check({ BOT_TOKEN: TOKEN }, { envFile: 'LOG_LEVEL=debug\n', envFileMode: 0o644 });
    expect(troubles(plain)).toEqual([]);
  });
});
