/** What an action on the page is about, and what all actions share. */
import type { BotAccount } from '../bot-account.js';
import { id, optional } from '../control/fields.js';
import type { User } from '../message.js';
import type { PageSource } from './source.js';

export interface Subject {
  readonly source: PageSource;
  readonly account: BotAccount;
  /** The file, for an upload. */
  readonly body: Buffer;
}

/** The fields for who acts, and where. The person is by default the one of a private chat. */
export const actor = { chat: id, from: optional(id) };

export interface Actor {
  readonly chat: number;
  readonly from: number | undefined;
}

/** The person who acts. */
export const authorOf = ({ chats }: BotAccount, { chat, from }: Actor): User =>
  chats.person(from ?? Math.abs(chat));

/** The update that has come of an action; or, where there is none, why. */
export function reported({ allowedUpdates }: BotAccount, kind: string, update: number | undefined): object {
  if (update !== undefined) return { update };
  const names = allowedUpdates
    ? `its allowed_updates are ${allowedUpdates.join(', ')}`
    : 'it has not asked for them';
  return { dropped: `The bot gets no updates of the kind ${kind}: ${names}.` };
}
