/** What the people and groups of a sandbox share. */
import type { Clock } from '../../clock.js';
import type { BotAccount } from '../bot-account.js';
import type { Sandbox as Server } from '../sandbox.js';
import type { Heard } from './heard.js';
import type { Waits, Within } from './waits.js';

export interface Shared {
  readonly server: Server;
  readonly account: BotAccount;
  readonly clock: Pick<Clock, 'now'>;
  readonly heard: Heard;
  readonly waits: Waits;
  /** Aborts when the sandbox closes. */
  readonly closing: AbortSignal;
  /** Whether the bot has settled. */
  isSettled(): boolean;
  /** Resolves when the bot has settled. */
  settled(within: Within): Promise<void>;
}
