/** Methods about the topics of a forum. Each change is a service message of the topic. */
import { ApiError } from '../api-response.js';
import { DEFAULT_TOPIC_COLOUR } from '../state/forum-topics.js';
import { type Method, type MethodCall, type Methods, method } from './method.js';
import { integer, optionalText, requiredText, supergroup, type Values } from './parameter.js';
import { postService } from './service.js';

/** The topic that every forum has from the beginning. */
const GENERAL = 1;
const MAX_NAME_LENGTH = 128;

const chat = supergroup('the chat is not a forum');
const inTopic = { chat, thread: integer('message_thread_id') };

/** Returns the topic that a call names. @throws ApiError 400 if there is none */
function topicIn({ account }: MethodCall, { chat: id, thread }: Values<typeof inTopic>) {
  const topic = account.topics.find(id, thread);
  if (!topic) throw ApiError.badRequest('TOPIC_ID_INVALID');
  return topic;
}

const postIn = (call: MethodCall, id: number, thread: number, content: object) =>
  postService(call, id, { message_thread_id: thread, is_topic_message: true, ...content });

const closes = (isClosed: boolean): Method =>
  method(inTopic, (named, call) => {
    if (topicIn(call, named).isClosed === isClosed) throw ApiError.badRequest('TOPIC_NOT_MODIFIED');
    call.account.topics.change(named.chat, named.thread, { isClosed });
    postIn(call, named.chat, named.thread, {
      [isClosed ? 'forum_topic_closed' : 'forum_topic_reopened']: {},
    });
    return true;
  });

/** Creates a method that changes the general topic, with a service message that says so. */
const changesGeneral = (field: string): Method =>
  method({ chat }, ({ chat: id }, call) => {
    postService(call, id, { [field]: {} });
    return true;
  });

const unpins = (): Method =>
  method({ chat }, ({ chat: id }, { account }) => {
    account.chats.details(id).pinned = [];
    return true;
  });

export const forumTopicMethods: Methods = {
  getForumTopicIconStickers: method({}, () => []),
  createForumTopic: method(
    {
      name: requiredText('name', 'topic name must be non-empty'),
      chat,
      colour: integer('icon_color', DEFAULT_TOPIC_COLOUR),
      emoji: optionalText('icon_custom_emoji_id'),
    },
    ({ name, chat: id, colour, emoji }, call) => {
      const { account } = call;
      account.chats.change(id, { is_forum: true });
      const shown = {
        name: name.slice(0, MAX_NAME_LENGTH),
        icon_color: colour,
        ...(emoji !== undefined && { icon_custom_emoji_id: emoji }),
      };
      const message_thread_id = account.messages.nextId();
      account.topics.add(id, { message_thread_id, ...shown });
      // A topic has the id of the message that says so.
      postIn(call, id, message_thread_id, { message_id: message_thread_id, forum_topic_created: shown });
      return { message_thread_id, ...shown };
    },
  ),
  editForumTopic: method(
    { ...inTopic, name: optionalText('name'), emoji: optionalText('icon_custom_emoji_id') },
    ({ name, emoji, ...named }, call) => {
      topicIn(call, named);
      const changes = {
        ...(name !== undefined && { name }),
        ...(emoji !== undefined && { icon_custom_emoji_id: emoji }),
      };
      call.account.topics.change(named.chat, named.thread, changes);
      postIn(call, named.chat, named.thread, { forum_topic_edited: changes });
      return true;
    },
  ),
  closeForumTopic: closes(true),
  reopenForumTopic: closes(false),
  deleteForumTopic: method(inTopic, (named, call) => {
    topicIn(call, named);
    call.account.topics.delete(named.chat, named.thread);
    for (const message of call.account.messages.in(named.chat))
      if (message['message_thread_id'] === named.thread)
        call.account.messages.delete(named.chat, message.message_id);
    return true;
  }),
  unpinAllForumTopicMessages: method(inTopic, (named, call) => {
    topicIn(call, named);
    const details = call.account.chats.details(named.chat);
    const isElsewhere = (id: number) =>
      call.account.messages.find(named.chat, id)?.['message_thread_id'] !== named.thread;
    details.pinned = details.pinned.filter(isElsewhere);
    return true;
  }),
  editGeneralForumTopic: method(
    { name: requiredText('name', 'topic name must be non-empty'), chat },
    ({ name, chat: id }, call) => {
      postIn(call, id, GENERAL, { forum_topic_edited: { name } });
      return true;
    },
  ),
  closeGeneralForumTopic: changesGeneral('forum_topic_closed'),
  reopenGeneralForumTopic: changesGeneral('forum_topic_reopened'),
  hideGeneralForumTopic: changesGeneral('general_forum_topic_hidden'),
  unhideGeneralForumTopic: changesGeneral('general_forum_topic_unhidden'),
  unpinAllGeneralForumTopicMessages: unpins(),
};
