/**
 * The bots the server knows, by token.
 */
import type { Clock } from '../clock.js';
import { ApiError } from './api-response.js';
import { BotAccount } from './bot-account.js';

/** Digits, a colon, and at least 20 characters; Telegram's own have 35. The suffix stands for the test environment. */
const WELL_FORMED = /^[1-9]\d{0,15}:[\w-]{20,}(\/test)?$/;

/** The range from which the server draws the first id of a queue. */
const FIRST_UPDATE_ID = { from: 2_000_001, to: 1_000_000_000 } as const;

export class Accounts {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #firstUpdateId: number | undefined;
  readonly #valid: ReadonlySet<string> | undefined;
  readonly #byToken = new Map<string, BotAccount>();

  /** Without `tokens`, every well-formed token is a bot's from its first use on. */
  constructor({
    clock,
    random,
    firstUpdateId,
    tokens,
  }: {
    clock: Clock;
    random: () => number;
    firstUpdateId: number | undefined;
    tokens: readonly string[] | undefined;
  }) {
    this.#clock = clock;
    this.#random = random;
    this.#firstUpdateId = firstUpdateId;
    this.#valid = tokens && new Set(tokens);
  }

  /** @throws ApiError: 404 for a malformed token, 401 for one that is not valid. */
  admit(token: string): BotAccount {
    const known = this.#byToken.get(token);
    if (known) return known;
    if (!WELL_FORMED.test(token)) throw new ApiError(404, 'Not Found');
    if (this.#valid && !this.#valid.has(token.replace(/\/test$/, '')))
      throw new ApiError(401, 'Unauthorized');
    const { from, to } = FIRST_UPDATE_ID;
    const account = new BotAccount({
      token,
      clock: this.#clock,
      nextUpdateId: this.#firstUpdateId ?? from + Math.floor(this.#random() * (to - from)),
    });
    this.#byToken.set(token, account);
    return account;
  }

  /** The bot with this id, if it has been seen. */
  find(id: number): BotAccount | undefined {
    for (const account of this.#byToken.values()) if (account.id === id) return account;
    return undefined;
  }
}
