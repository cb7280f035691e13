/** People who vote in a bot's polls. */
import { isObject } from '../json.js';
import type { BotAccount } from './bot-account.js';

export interface Vote {
  /** The chat's id. Default 1. */
  readonly chat?: number | undefined;
  /** The id of the message with the poll. Default: the newest poll of the chat. */
  readonly message?: number | undefined;
  /** The numbers of the chosen options, from 0. None takes a vote back. */
  readonly options: readonly number[];
  /** The id of the person who votes. Default: the chat's id. */
  readonly fromId?: number | undefined;
}

/**
 * Votes in a poll that the bot has sent. Returns the ids of the updates: the poll's new state, and the vote itself unless
 * the poll is anonymous.
 *
 * @throws RangeError if there is no such poll, or it does not take the vote
 */
export function vote(account: BotAccount, { chat = 1, message: id, options, fromId = chat }: Vote): number[] {
  const message = account.messages
    .in(chat)
    .findLast((shown) => isObject(shown['poll']) && (id === undefined || shown.message_id === id));
  const shown = isObject(message?.['poll']) ? account.polls.find(`${message['poll']['id']}`) : undefined;
  if (!message || !shown) throw new RangeError(`there is no poll of the bot in chat ${chat}`);
  const { poll } = shown;
  const person = account.chats.person(fromId);
  if (poll.is_closed) throw new RangeError('the poll is closed');
  if (options.some((option) => !poll.options[option]))
    throw new RangeError(`options must be from 0 to ${poll.options.length - 1}`);
  if (options.length > 1 && !poll.allows_multiple_answers) throw new RangeError('the poll takes one option');
  if (poll['type'] === 'quiz' && shown.votes.has(person.id))
    throw new RangeError('a vote in a quiz cannot be changed');
  const changed = account.polls.vote(poll.id, person.id, options) ?? poll;
  account.messages.store({ ...message, poll: changed });
  const answer = {
    poll_id: poll.id,
    user: person,
    option_ids: options,
    option_persistent_ids: options.map((option) => poll.options[option]?.persistent_id),
  };
  return account.add([{ poll: changed }, ...(poll.is_anonymous ? [] : [{ poll_answer: answer }])]);
}
