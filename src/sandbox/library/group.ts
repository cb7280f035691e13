/** A group in which people meet the bot. */
import { isIn, join, leave } from '../acts.js';
import { type User, unixSeconds } from '../message.js';
import { administratorRights, each, isInChat } from '../state/members.js';
import type { Person } from './person.js';
import { SandboxError } from './sandbox-error.js';
import { type SeenMessage, seenMessage } from './seen-message.js';
import type { Shared } from './shared.js';

/** What a group is, and who is in it beside the bot. */
export interface GroupOptions {
  readonly title: string;
  readonly members?: readonly Person[];
  /** Members who may do everything. The first of them adds the bot, else the first of the others. */
  readonly admins?: readonly Person[];
  /** Default `group`. Some methods, such as `restrictChatMember`, work in supergroups only. */
  readonly type?: 'group' | 'supergroup';
  /** Whether the bot is an administrator. Default true. */
  readonly isBotAdmin?: boolean;
}

const FIRST_ID = { group: -201, supergroup: -1_000_000_000_201 } as const;

export class Group {
  /** The id of the chat, which is negative. */
  readonly id: number;
  readonly #shared: Shared;

  /** @internal */
  constructor(shared: Shared, options: GroupOptions) {
    const { title, members = [], admins = [], type = 'group', isBotAdmin = true } = options;
    const { account, server } = shared;
    const [founder] = [...admins, ...members];
    if (!founder)
      throw new SandboxError('MISUSED', `The group ${JSON.stringify(title)} has nobody in it.`, {
        nextStep: 'name at least one of members or admins',
      });
    this.#shared = shared;
    this.id = account.chats.freeId(FIRST_ID[type], -1);
    const chat = account.chats.change(this.id, { title });
    for (const person of members) account.members.see(this.id, userOf(shared, person));
    for (const person of admins)
      account.members.set(this.id, {
        user: userOf(shared, person),
        status: 'administrator',
        can_be_edited: false,
        is_anonymous: false,
        ...each(administratorRights, () => true),
      });
    const bot = { user: account.user };
    const added = {
      chat,
      from: userOf(shared, founder),
      date: unixSeconds(),
      old_chat_member: { ...bot, status: 'left' },
      new_chat_member: isBotAdmin
        ? { ...bot, status: 'administrator', can_be_edited: false, ...each(administratorRights, () => true) }
        : { ...bot, status: 'member' },
    };
    account.add([{ my_chat_member: added }]);
    server.changes.tell({ kind: 'chat', bot: account.id, chat: this.id });
  }

  /** The title as it is now: the bot may change it. */
  get title(): string {
    return this.#shared.account.chats.chat(this.id).title ?? '';
  }

  /** The first names of all who are in the group, the bot among them. */
  get members(): readonly string[] {
    return this.#shared.account.members
      .in(this.id)
      .filter(isInChat)
      .map(({ user }) => user.first_name);
  }

  /**
   * Lets a person join, who hears what the bot writes from now on. The bot is told by a message, and by an update
   * `chat_member` if it wants those.
   */
  async add(person: Person): Promise<void> {
    if (!this.has(person)) person.in(this).passOver();
    join(this.#shared.account, this.id, userOf(this.#shared, person));
  }

  /** Lets a person leave. */
  async remove(person: Person): Promise<void> {
    leave(this.#shared.account, this.id, userOf(this.#shared, person));
  }

  /** Whether a person is in the group. */
  has(person: Person): boolean {
    return isIn(this.#shared.account, this.id, userOf(this.#shared, person));
  }

  /** Puts the bot out of the group: what it writes there is refused with 403 from now on. */
  async removeBot(by: Person): Promise<void> {
    const { account } = this.#shared;
    const change = {
      chat: account.chats.chat(this.id),
      from: userOf(this.#shared, by),
      date: unixSeconds(),
      old_chat_member: account.members.bot(this.id),
      new_chat_member: { user: account.user, status: 'kicked', until_date: 0 },
    };
    account.members.set(this.id, { user: account.user, status: 'kicked', until_date: 0 });
    account.add([{ my_chat_member: change }]);
  }

  /** The messages of the group as they are now, of everybody, oldest first. */
  messages(): readonly SeenMessage[] {
    const { account } = this.#shared;
    return account.messages.in(this.id).map((message) => seenMessage(account, message));
  }
}

const userOf = ({ account }: Shared, { id }: Person): User => account.chats.person(id);
