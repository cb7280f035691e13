/** The state of a sandbox in the shape that the page takes. */
import { isObject } from '../../json.js';
import type { BotAccount } from '../bot-account.js';
import type { Call } from '../calls.js';
import type { Chat, Message } from '../message.js';
import type {
  BotCommandView,
  BotView,
  CallView,
  ChatView,
  FaultView,
  InlineAnswerView,
  MessageView,
  PressView,
} from '../page-protocol.js';
import { personReactions } from '../reactions.js';
import { isInChat } from '../state/members.js';
import type { Query } from '../state/queries.js';
import type { PageSource } from './source.js';

/** The most characters of a call's parameters, and of its response. */
const MAX_JSON_LENGTH = 4_000;

export function botView({ calls }: PageSource, account: BotAccount): BotView {
  const { id, user, queue, getUpdates, webhookUrl, allowedUpdates } = account;
  const lastCall = calls.last(id);
  const lastPoll = lastCall && calls.last(id, 'getUpdates');
  return {
    id,
    name: user.first_name,
    username: user.username ?? `${id}`,
    isPolling: getUpdates.waiting,
    lastPoll: lastPoll && { atMs: lastPoll.atMs, call: lastPoll.number },
    lastCallAtMs: lastCall?.atMs,
    lastFault: lastCall?.fault,
    polls: calls.count(id, 'getUpdates'),
    conflicts: getUpdates.conflicts,
    queued: queue.size,
    nextUpdateId: queue.nextId,
    confirmedOffset: getUpdates.confirmedOffset,
    webhookUrl,
    allowedUpdates,
  };
}

export function chatView(account: BotAccount, { id, type, title, first_name }: Chat): ChatView {
  const { replyMarkup, action } = account.chats.details(id);
  const members =
    type === 'private' ? [account.chats.person(id)] : account.members.in(id).map(({ user }) => user);
  return {
    id,
    type,
    title: title ?? first_name ?? `${id}`,
    people: members
      .filter((user) => user.id !== account.id)
      .map((user) => ({ id: user.id, name: user.first_name })),
    isBlocked: type === 'private' && !isInChat(account.members.bot(id)),
    replyMarkup,
    action,
    commands: commandsFor(account, id, type),
  };
}

/** The commands that a person sees in a chat: those of the narrowest scope that has any. */
function commandsFor({ commands }: BotAccount, chatId: number, type: string): readonly BotCommandView[] {
  const scopes = [
    { type: 'chat', chat_id: chatId },
    { type: type === 'private' ? 'all_private_chats' : 'all_group_chats' },
    { type: 'default' },
  ];
  const lists = scopes.map((scope) => commands.get({ scope }));
  return lists.find((list) => list.length > 0) ?? [];
}

export function messageView(account: BotAccount, message: Message): MessageView {
  const { message_id: id, chat } = message;
  const byBot = account.messages.reactions(chat.id, id).map((reaction) => ({
    emoji: isObject(reaction) && typeof reaction['emoji'] === 'string' ? reaction['emoji'] : '★',
    by: account.user.first_name,
  }));
  const reactions = [...byBot, ...personReactions(account, chat.id, id)];
  return { chat: chat.id, id, message, reactions, votes: votesOf(account, message) };
}

/** Who has chosen what in the poll of a message. */
function votesOf({ polls }: BotAccount, { poll }: Message): MessageView['votes'] {
  const known = isObject(poll) ? polls.find(`${poll['id']}`) : undefined;
  return known && [...known.votes].map(([person, options]) => ({ person, options }));
}

export function callView({ number, atMs, method, parameters, fault, answered }: Call): CallView {
  return {
    number,
    atMs,
    method,
    parameters: shortened(JSON.stringify(parameters)),
    fault,
    status: answered?.status,
    answeredAtMs: answered?.atMs,
    ...(answered?.body !== undefined && { response: shortened(answered.body) }),
  };
}

export const pressView = ({ id, updateId, answer }: Query): PressView => ({
  id,
  updateId,
  answer: answer && {
    text: `${answer['text'] ?? ''}`,
    alert: answer['isAlert'] === true,
    url: `${answer['url'] ?? ''}`,
  },
});

/** The bot's answer to an inline query; undefined as long as there is none. */
export function inlineAnswerView({ id, answer }: Query): InlineAnswerView | undefined {
  if (!answer) return undefined;
  const results: readonly unknown[] = Array.isArray(answer['results']) ? answer['results'] : [];
  return {
    id,
    nextOffset: `${answer['nextOffset'] ?? ''}`,
    results: results.filter(isObject).map((result) => ({
      id: `${result['id']}`,
      type: `${result['type']}`,
      title: `${result['title'] ?? result['first_name'] ?? result['caption'] ?? result['type']}`,
      description: `${result['description'] ?? result['address'] ?? ''}`,
    })),
  };
}

export const faultViews = ({ faults }: PageSource): readonly FaultView[] =>
  faults.list().map(({ id, rule, hits, endsAtMs }) => ({ id, rule: { ...rule }, hits, endsAtMs }));

const shortened = (json: string): string =>
  json.length > MAX_JSON_LENGTH ? `${json.slice(0, MAX_JSON_LENGTH)}…` : json;
