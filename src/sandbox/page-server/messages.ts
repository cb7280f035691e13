/** What people do with messages: send, edit, delete, react. */
import { isObject } from '../../json.js';
import { editText, react } from '../acts.js';
import { plainText, textFields } from '../text/formatted-text.js';
import { type Actor, authorOf, reported, type Subject } from './subject.js';

export interface Sending extends Actor {
  readonly replyTo?: number | undefined;
}

/** What a person sends. */
export interface Letter {
  /** What reports call the message. */
  readonly name: string;
  /** The fields of the message. */
  readonly content: object;
}

/** Sends a text as a person writes it. */
export const sendText = (subject: Subject, to: Sending, text: string): object =>
  send(subject, to, { name: text, content: textFields(plainText(text)) });

/** Sends a message of a person, and tells what has come of it. */
export function send(
  { source, account }: Subject,
  { chat, from, replyTo }: Sending,
  { name, content }: Letter,
): object {
  const original = replyTo === undefined ? undefined : account.messages.find(chat, replyTo);
  const reply = original && { reply_to_message: { ...original, reply_to_message: undefined } };
  // The request for a reply is over with any message, as in Telegram's apps.
  const details = account.chats.details(chat);
  if (isObject(details.replyMarkup) && details.replyMarkup['force_reply'] === true)
    delete details.replyMarkup;
  const [update] = source.bot(account).say({
    chat,
    fromId: authorOf(account, { chat, from }).id,
    text: name,
    content: { ...reply, ...content },
  });
  return reported(account, 'message', update);
}

interface Named {
  readonly chat: number;
  readonly message: number;
}

export const edit = (edited: Named & { readonly text: string }, { account }: Subject): object =>
  reported(account, 'edited_message', editText(account, edited));

/** Telegram tells a bot nothing of it. @throws RangeError if there is no such message, or it is the bot's */
export function remove({ chat, message: id }: Named, { account }: Subject): object {
  const message = account.messages.find(chat, id);
  if (!message || message.from?.id === account.id)
    throw new RangeError('a person can delete only their own messages');
  account.messages.delete(chat, id);
  return {};
}

/** Without an emoji, the reaction is taken back. */
export function setReaction(
  { chat, from, message, emoji }: Actor & Named & { readonly emoji: string | undefined },
  { source, account }: Subject,
): object {
  const update = react(account, { chat, message, emoji, from: authorOf(account, { chat, from }) });
  source.changes.tell({ kind: 'message', bot: account.id, chat, id: message });
  return reported(account, 'message_reaction', update);
}
