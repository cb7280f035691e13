import { afterEach, describe, expect, it } from '@jest/globals';
import { Telegraf } from 'telegraf';
import { type Claim, claimBot } from '../../src/telegraf/claim.js';

const TOKEN = '4711:a-token-of-the-claim-tests';

const claims: Claim[] = [];
afterEach(() => {
  for (const { release } of claims.splice(0)) release();
});

function claim(token = TOKEN, telegram: { apiRoot?: string; testEnv?: boolean } = {}): Claim {
  const made = claimBot(new Telegraf(token, { telegram }));
  claims.push(made);
  return made;
}

const refused = expect.objectContaining({ code: 'BOT_ALREADY_POLLED', exitCode: 75, culprit: 'bot 4711' });

describe('claimBot', () => {
  it('gives a bot to one poller at a time, known by its id', () => {
    expect(claim().botId).toBe(4711);
    expect(() => claim()).toThrow(refused);
    expect(() => claim('4711:its-token-after-it-was-revoked')).toThrow(refused);
  });

  it('says nothing of the token', () => {
    claim();
    expect(() => claim()).toThrow(expect.not.objectContaining({ message: expect.stringContaining('token') }));
  });

  it('gives it to the next one when it is released, and only then', () => {
    const { release } = claim();
    release();
    claim();
    expect(() => claim()).toThrow(refused);
  });

  it.each([
    ['id', '4712:another-bot', {}],
    ['server', TOKEN, { apiRoot: 'http://127.0.0.1:8081' }],
    ['environment', TOKEN, { testEnv: true }],
  ])('takes one of another %s for another bot', (_, token, telegram) => {
    claim();
    expect(() => claim(token, telegram)).not.toThrow();
    expect(() => claim()).toThrow(refused);
  });
});
