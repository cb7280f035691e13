import { expect, it } from '@jest/globals';
import { shownToken } from '../../../src/cli/doctor/ask-telegram.js';
import { readSettings } from '../../../src/config/load.js';
import { newToken } from '../../support/token.js';

const BOT_TOKEN = newToken();
const shownWith = async (env: Readonly<Record<string, string>>) =>
  shownToken(
    await readSettings({
      env: { BOT_TOKEN, ...env },
      cwd: '/',
      flags: { values: {}, problems: [] },
      signal: new AbortController().signal,
    }),
  );

it('a token is shown to the server that is meant', async () => {
  expect(await shownWith({})).toBe(BOT_TOKEN);
  expect(await shownWith({ TELEGRAM_API_ROOT: 'http://127.0.0.1:8081' })).toBe(BOT_TOKEN);
});

it("a token is not shown to Telegram's own server where another one is meant that is misspelt", async () => {
  expect(await shownWith({ TELEGRAM_API_ROOT: 'htp:/bot-api' })).toBeUndefined();
  expect(await shownWith({ TELEGRAM_API_ROOT: 'http://me:secret-word@bot-api:8081' })).toBeUndefined();
});
