/** Who is in each chat, and as what. Whoever is not known to be anything else is a member. */
import type { User } from '../message.js';

export type Status = 'creator' | 'administrator' | 'member' | 'restricted' | 'left' | 'kicked';

/** A member in the format of the Bot API: its status decides on the other fields. */
export interface ChatMember {
  readonly user: User;
  readonly status: Status;
  readonly [field: string]: unknown;
}

/** What an administrator may do, in the order of the Bot API. */
export const administratorRights = [
  'can_manage_chat',
  'can_delete_messages',
  'can_manage_video_chats',
  'can_restrict_members',
  'can_promote_members',
  'can_change_info',
  'can_invite_users',
  'can_post_stories',
  'can_edit_stories',
  'can_delete_stories',
  'can_pin_messages',
  'can_manage_topics',
  'can_send_welcome_messages',
] as const;

/** The last one is there only in channels. */
export type AdministratorRight = (typeof administratorRights)[number] | 'can_edit_messages';

/** What a restricted member may do, in the order of the Bot API. */
export const memberPermissions = [
  'can_send_messages',
  'can_send_audios',
  'can_send_documents',
  'can_send_photos',
  'can_send_videos',
  'can_send_video_notes',
  'can_send_voice_notes',
  'can_send_polls',
  'can_send_other_messages',
  'can_add_web_page_previews',
  'can_react_to_messages',
  'can_edit_tag',
  'can_change_info',
  'can_invite_users',
  'can_pin_messages',
  'can_manage_topics',
] as const;

/** Returns an object with one value for each name. */
export const each = <Name extends string, T>(
  names: readonly Name[],
  value: (name: Name) => T,
): Readonly<Record<string, T>> => Object.fromEntries(names.map((name) => [name, value(name)]));

/** Whether somebody with a status is in the chat. */
export const isInChat = ({ status, is_member }: ChatMember): boolean =>
  !['left', 'kicked'].includes(status) && is_member !== false;

export class Members {
  readonly #bot: User;
  readonly #byChat = new Map<number, Map<number, ChatMember>>();

  constructor(bot: User) {
    this.#bot = bot;
  }

  /** Returns a user as a member. The bot may do everything in groups, since nobody there restricts it. */
  of(chat: number, user: User): ChatMember {
    const known = this.#byChat.get(chat)?.get(user.id);
    if (known) return { ...known, user };
    if (chat > 0 || user.id !== this.#bot.id) return { user, status: 'member' };
    return {
      user,
      status: 'administrator',
      can_be_edited: false,
      is_anonymous: false,
      ...each(administratorRights, () => true),
    };
  }

  set(chat: number, member: ChatMember): void {
    const members = this.#byChat.get(chat) ?? new Map<number, ChatMember>();
    members.set(member.user.id, member);
    this.#byChat.set(chat, members);
  }

  /** Remembers that somebody else is in a group. What the bot is there, only updates about it say. */
  see(chat: number, user: User): void {
    if (chat < 0 && user.id !== this.#bot.id && !this.#byChat.get(chat)?.has(user.id))
      this.set(chat, { user, status: 'member' });
  }

  /** Everybody who is known to be in a chat, with the bot first. */
  in(chat: number): readonly ChatMember[] {
    const others = [...(this.#byChat.get(chat)?.values() ?? [])].filter(
      ({ user }) => user.id !== this.#bot.id,
    );
    return [this.of(chat, this.#bot), ...others].filter(isInChat);
  }

  /** The bot as a member of a chat. */
  bot(chat: number): ChatMember {
    return this.of(chat, this.#bot);
  }

  /**
   * Whether the bot may do what takes a right in a group, or, without a right, what takes an administrator. Without an update
   * that says otherwise, it may do everything.
   */
  botMay(chat: number, right?: AdministratorRight): boolean {
    if (chat > 0) return true;
    const bot = this.bot(chat);
    const hasRight = right === undefined || bot[right] !== false;
    return bot.status === 'creator' || (bot.status === 'administrator' && hasRight);
  }

  /** Why the bot cannot write to a chat, in Telegram's words; undefined if it can. */
  refusal(chat: number, type: string): string | undefined {
    const known = this.#byChat.get(chat)?.get(this.#bot.id);
    if (!known || isInChat(known)) return undefined;
    if (chat > 0) return 'bot was blocked by the user';
    const isKicked = known.status === 'kicked';
    return isKicked ? `bot was kicked from the ${type} chat` : `bot is not a member of the ${type} chat`;
  }
}
