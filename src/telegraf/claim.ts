/**
 * One poller a bot in this process: two would take turns at ending each other's polls with a 409. The register is
 * the process's own, so that two copies of lastcall in one process know of each other.
 */
import type { Telegraf } from 'telegraf';
import { LastcallError } from '../errors.js';

export interface Claim {
  /** The digits before the token's colon. */
  readonly botId: number;
  release(): void;
}

/** Claims the bot until `release`. @throws LastcallError BOT_ALREADY_POLLED when somebody has claimed it before */
export function claimBot({ telegram }: Pick<Telegraf, 'telegram'>): Claim {
  const botId = Number.parseInt(telegram.token, 10);
  const { apiRoot, testEnv } = telegram.options;
  const key = `${apiRoot} ${testEnv ? 'test ' : ''}${botId}`;
  const claims = register();
  if (claims.has(key))
    throw new LastcallError('BOT_ALREADY_POLLED', `bot ${botId}`, `this process polls bot ${botId} already`);
  claims.add(key);
  return { botId, release: () => void claims.delete(key) };
}

const REGISTER = Symbol.for('lastcall.polledBots');

function register(): Set<string> {
  const holder: typeof globalThis & { [REGISTER]?: Set<string> } = globalThis;
  holder[REGISTER] ??= new Set();
  return holder[REGISTER];
}
