import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { programVariables } from '../../src/config/program-variables.js';

const TOKEN = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
const OTHER = '987654321:AAGabcdefghijklmnopqrstuvwxyz012345';

async function variablesFor(env: Record<string, string>, files: Record<string, string> = {}) {
  const loaded = await loadConfig({
    env,
    cwd: '/srv/bot',
    readFile: async (path) =>
      files[path] ?? Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' })),
  });
  return programVariables(env, loaded);
}

describe('the variables of a bot program', () => {
  it('are those of .env that the environment has not', async () => {
    const files = { '/srv/bot/.env': `DATABASE_URL=from .env\nPORT=1\nBOT_TOKEN=${TOKEN}\n` };
    expect(await variablesFor({ PORT: '2' }, files)).toEqual({ DATABASE_URL: 'from .env', BOT_TOKEN: TOKEN });
  });

  it.each<[string, Record<string, string>]>([
    ['a file', { BOT_TOKEN_FILE: 'token' }],
    ['a file, beside a blank one', { BOT_TOKEN_FILE: 'token', BOT_TOKEN: ' ' }],
    ["systemd's credentials", { CREDENTIALS_DIRECTORY: '/run/c' }],
    ['LASTCALL_BOT_TOKEN', { LASTCALL_BOT_TOKEN: TOKEN }],
  ])('have the token that lastcall has from %s', async (_place, env) => {
    const files = { '/srv/bot/token': `${TOKEN}\n`, '/run/c/bot-token': `"${TOKEN}"\n` };
    expect(await variablesFor(env, files)).toEqual({ BOT_TOKEN: TOKEN });
  });

  it("leave the program's own token alone", async () => {
    expect(await variablesFor({ LASTCALL_BOT_TOKEN: TOKEN, BOT_TOKEN: OTHER })).toEqual({});
    const files = { '/srv/bot/.env': `BOT_TOKEN=${OTHER}` };
    expect(await variablesFor({ LASTCALL_BOT_TOKEN: TOKEN }, files)).toEqual({ BOT_TOKEN: OTHER });
  });

  it('have no token where lastcall has none, and a blank one is none', async () => {
    expect(await variablesFor({})).toEqual({});
    expect(await variablesFor({ BOT_TOKEN: '\u200b ' })).toEqual({ BOT_TOKEN: '' });
  });
});
