/** The accounts of the bots that the server knows, by token. */
import type { Clock } from '../clock.js';
import { ApiError } from './api-response.js';
import { BotAccount } from './bot-account.js';
import type { Changes } from './changes.js';

/** Digits, a colon, and at least 20 characters (Telegram's tokens have 35). `/test` selects the test environment. */
const TOKEN = /^[1-9]\d{0,15}:[\w-]{20,}(\/test)?$/;

/** The range of random first update ids. */
const FIRST_UPDATE_ID = { from: 2_000_001, to: 1_000_000_000 } as const;

export interface BotAccountsOptions {
  readonly clock: Clock;
  readonly changes: Changes;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** The first update id of each bot; undefined for a random one. */
  readonly firstUpdateId: number | undefined;
  /** The valid tokens; undefined to accept every well-formed token. */
  readonly tokens: readonly string[] | undefined;
}

export class BotAccounts {
  readonly #options: BotAccountsOptions;
  readonly #byToken = new Map<string, BotAccount>();

  constructor(options: BotAccountsOptions) {
    this.#options = options;
  }

  /**
   * Returns the account of a token, and creates the account at the first use of the token.
   *
   * @throws ApiError 404 for a malformed token, 401 for an invalid token
   */
  authenticate(token: string): BotAccount {
    const known = this.#byToken.get(token);
    if (known) return known;
    if (!TOKEN.test(token)) throw new ApiError(404, 'Not Found');
    const { clock, changes, random, firstUpdateId, tokens } = this.#options;
    if (tokens && !tokens.includes(token.replace(/\/test$/, ''))) throw new ApiError(401, 'Unauthorized');
    const { from, to } = FIRST_UPDATE_ID;
    const nextUpdateId = firstUpdateId ?? from + Math.floor(random() * (to - from));
    const account = new BotAccount({ token, clock, nextUpdateId, changes });
    this.#byToken.set(token, account);
    return account;
  }

  /** All accounts, in the order in which their tokens were first used. */
  list(): readonly BotAccount[] {
    return [...this.#byToken.values()];
  }

  /** Returns the account with a bot id. @throws RangeError if the token of the bot has not been used yet */
  find(id: number): BotAccount {
    for (const account of this.#byToken.values()) if (account.id === id) return account;
    throw new RangeError(`no bot with id ${id} has been seen`);
  }
}
