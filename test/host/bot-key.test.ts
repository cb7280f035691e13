import { describe, expect, it } from '@jest/globals';
import { botKey, formerKey, formerKeys, formerKeysIn, isBotKey } from '../../src/host/bot-key.js';
import { identityOf, identityOfToken } from '../../src/telegraf/identity.js';
import { createBot } from '../../src/telegraf/telegraf.js';

const TELEGRAM = 'https://api.telegram.org';
const bot = { apiRoot: TELEGRAM, testEnv: false, botId: 123_456 };

describe('the key of a bot', () => {
  it('is its id, with the environment, in each release', () => {
    // Existing folders have these names.
    expect(botKey(bot)).toBe('123456');
    expect(botKey({ ...bot, testEnv: true })).toBe('123456-test');
  });

  it('does not change when the token is replaced, nor with its server, and can be computed from a token alone', async () => {
    const made = await createBot(`123456:${'a'.repeat(35)}`, undefined);
    const other = identityOfToken(`123456:${'b'.repeat(35)}`, 'http://127.0.0.1:8081');
    expect([identityOf(made), other].map(botKey)).toEqual([botKey(bot), botKey(bot)]);
  });

  it('is told from other names', () => {
    const keys = [botKey(bot), botKey({ ...bot, testEnv: true }), formerKey(bot.botId, TELEGRAM)];
    expect([...keys, '123456-notes', 'notes', ''].map(isBotKey)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('the key that former versions gave a bot', () => {
  it('was this', () => {
    expect(formerKey(bot.botId, TELEGRAM)).toBe('123456-12cd7dd4a797308e');
  });

  it('is known for the server that it has now, and for that of Telegram', () => {
    const server = 'http://127.0.0.1:8081';
    expect(formerKeys({ ...bot, apiRoot: server, testEnv: true })).toEqual([
      formerKey(bot.botId, server, true),
      formerKey(bot.botId, TELEGRAM, true),
    ]);
    expect(formerKeys(bot)).toEqual([formerKey(bot.botId, TELEGRAM)]);
  });

  it('is found for every server, and for no other bot', () => {
    const roots = [TELEGRAM, 'http://127.0.0.1:8081', 'http://localhost:8081/'];
    const keys = roots.map((root) => formerKey(bot.botId, root));
    const others = [botKey(bot), formerKey(12_345, TELEGRAM), formerKey(1_234_567, TELEGRAM), 'notes'];
    expect(formerKeysIn([...others, ...keys], bot)).toEqual(keys);
  });

  it('is told by the environment, as far as the server is known', () => {
    const inTest = { ...bot, apiRoot: 'http://127.0.0.1:8081', testEnv: true };
    const keysInTest = [TELEGRAM, inTest.apiRoot].map((root) => formerKey(bot.botId, root, true));
    const keys = [TELEGRAM, inTest.apiRoot].map((root) => formerKey(bot.botId, root));
    expect(formerKeysIn([...keys, ...keysInTest], inTest)).toEqual(keysInTest);
    expect(formerKeysIn([...keys, ...keysInTest], { ...inTest, testEnv: false })).toEqual(keys);
    const unknown = [true, false].map((testEnv) => formerKey(bot.botId, 'http://b.test', testEnv));
    for (const testEnv of [true, false])
      expect(formerKeysIn(unknown, { ...inTest, testEnv })).toEqual(unknown);
  });
});
