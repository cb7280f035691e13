import { describe, expect, it } from '@jest/globals';
import { botKey } from '../../src/host/bot-key.js';
import { identityOf, identityOfToken } from '../../src/telegraf/identity.js';
import { createBot } from '../../src/telegraf/telegraf.js';

const bot = { apiRoot: 'https://api.telegram.org', testEnv: false, botId: 123_456 };

describe('the key of a bot', () => {
  it('is safe in file names, and starts with the bot’s id', () => {
    expect(botKey(bot)).toMatch(/^123456-[0-9a-f]{16}$/);
  });

  it('is the same in each release', () => {
    // Existing folders have this name.
    expect(botKey(bot)).toBe('123456-12cd7dd4a797308e');
  });

  it('differs by server, by environment and by id', () => {
    const others = [
      { ...bot, apiRoot: 'http://127.0.0.1:8081' },
      { ...bot, testEnv: true },
      { ...bot, botId: 123_457 },
    ];
    expect(new Set([bot, ...others].map(botKey)).size).toBe(4);
  });

  it.each(['https://api.telegram.org/', 'HTTPS://API.Telegram.org', 'https://api.telegram.org:443'])(
    'is the same for the server’s URL written as %s',
    (apiRoot) => expect(botKey({ ...bot, apiRoot })).toBe(botKey(bot)),
  );

  it('does not change when the token is replaced, and can be computed from a token alone', async () => {
    const made = await createBot(`123456:${'a'.repeat(35)}`, undefined);
    const keys = [identityOf(made), identityOfToken(`123456:${'b'.repeat(35)}`)].map(botKey);
    expect(keys).toEqual([botKey(bot), botKey(bot)]);
  });
});
