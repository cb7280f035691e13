/** A person, in their private chat with the bot and in groups. */
import { setBlocked } from '../acts.js';
import type { User } from '../message.js';
import type { Group } from './group.js';
import { LastAct } from './last-act.js';
import { Participant } from './participant.js';
import { SandboxError } from './sandbox-error.js';
import type { Shared } from './shared.js';
import type { Within } from './waits.js';

/** Who a person is. */
export interface PersonOptions {
  readonly firstName: string;
  readonly lastName?: string;
  /** Without `@`. Default: none. */
  readonly username?: string;
  /** The language of the person's app, such as `'de'`. Default `'en'`. */
  readonly languageCode?: string;
  /** Default: the next free one, from 101. */
  readonly id?: number;
}

const FIRST_ID = 101;

/** A person. What they say without naming a group, they say in their private chat with the bot. */
export class Person extends Participant {
  readonly #shared: Shared;
  readonly #user: () => User;
  readonly #inGroups = new Map<number, Participant>();
  readonly #lastQuery: LastAct;
  /** The id of the person, which is that of the private chat, too. */
  readonly id: number;

  /** @internal */
  constructor(shared: Shared, options: PersonOptions) {
    const { chats } = shared.account;
    const id = options.id ?? chats.freeId(FIRST_ID, 1);
    if (!Number.isSafeInteger(id) || id <= 0)
      throw new SandboxError('MISUSED', `The id of a person must be a whole number above 0, not ${id}.`, {
        nextStep: 'leave the id out, for the next one that is free',
      });
    const names = {
      first_name: options.firstName,
      ...(options.lastName !== undefined && { last_name: options.lastName }),
      ...(options.username !== undefined && { username: options.username }),
    };
    const from: User = { id, is_bot: false, ...names, language_code: options.languageCode ?? 'en' };
    chats.learn({ chat: { id, type: 'private', ...names }, from });
    const user = () => chats.person(id);
    super(shared, id, user);
    this.#shared = shared;
    this.#user = user;
    this.#lastQuery = new LastAct(shared);
    this.id = id;
  }

  /** The person in a group. Each chat is heard by itself. */
  in(group: Pick<Group, 'id'>): Participant {
    const known = this.#inGroups.get(group.id) ?? new Participant(this.#shared, group.id, this.#user);
    this.#inGroups.set(group.id, known);
    return known;
  }

  /** Blocks the bot: what it writes to the person is refused with 403 from now on. */
  async block(): Promise<void> {
    setBlocked(this.#shared.account, this.#user(), true);
  }

  /** Lets the bot write again. */
  async unblock(): Promise<void> {
    setBlocked(this.#shared.account, this.#user(), false);
  }

  /**
   * Writes `@bot text` in some chat, and resolves with the results that the bot offers, in the format of the Bot API.
   *
   * @throws SandboxError NOT_ANSWERED, UPDATE_NOT_WANTED
   */
  async asksInline(
    query: string,
    within: Within = {},
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { account, waits } = this.#shared;
    const id = account.nextId();
    const inlineQuery = { id, from: this.#user(), query, offset: '' };
    this.#lastQuery.is('inline_query', account.add([{ inline_query: inlineQuery }])[0]);
    return waits.until(
      () => {
        const results = account.queries.find('inline_query', id)?.answer?.['results'];
        return Array.isArray(results) ? results : undefined;
      },
      within,
      (limitMs) =>
        this.#lastQuery.overdue(
          'NOT_ANSWERED',
          `The bot has not answered the inline query ${JSON.stringify(query)} within ${limitMs} ms`,
        ),
    );
  }
}
