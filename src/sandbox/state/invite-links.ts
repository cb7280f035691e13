/** The invite links of a bot, by chat. */
import type { User } from '../message.js';

/** An invite link in the format of the Bot API. */
export interface InviteLink {
  readonly invite_link: string;
  readonly creator: User;
  readonly creates_join_request: boolean;
  readonly is_primary: boolean;
  readonly is_revoked: boolean;
  readonly [field: string]: unknown;
}

export class InviteLinks {
  readonly #links = new Map<string, InviteLink>();
  readonly #primary = new Map<number, string>();
  readonly #creator: User;

  constructor(creator: User) {
    this.#creator = creator;
  }

  create(chat: number, settings: Readonly<Record<string, unknown>>): InviteLink {
    return this.#add(chat, { ...settings, is_primary: false });
  }

  /** Creates the primary link of the bot, and revokes the one before it. */
  createPrimary(chat: number): InviteLink {
    const former = this.#primary.get(chat);
    if (former !== undefined) this.change(chat, former, { is_revoked: true, is_primary: false });
    const link = this.#add(chat, { is_primary: true });
    this.#primary.set(chat, link.invite_link);
    return link;
  }

  /** Returns a link as it is after a change, or undefined if the chat has no such link. */
  change(chat: number, url: string, changes: Readonly<Record<string, unknown>>): InviteLink | undefined {
    const link = this.#links.get(`${chat}/${url}`);
    if (!link) return undefined;
    const changed = { ...link, ...changes };
    this.#links.set(`${chat}/${url}`, changed);
    return changed;
  }

  #add(chat: number, settings: Readonly<Record<string, unknown>>): InviteLink {
    const link = {
      invite_link: `https://t.me/+sandbox${this.#links.size + 1}`,
      creator: this.#creator,
      creates_join_request: false,
      is_primary: false,
      is_revoked: false,
      ...settings,
    };
    this.#links.set(`${chat}/${link.invite_link}`, link);
    return link;
  }
}
