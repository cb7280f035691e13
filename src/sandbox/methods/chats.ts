/** Methods about chats: what they are called, what is pinned in them, and whether the bot stays there. */
import { ApiError } from '../api-response.js';
import { type Message, withoutReply } from '../message.js';
import { each, memberPermissions } from '../state/members.js';
import { Upload } from '../upload.js';
import { changeMember } from './members.js';
import { type MethodCall, type Methods, method } from './method.js';
import {
  chatId,
  flag,
  group,
  integer,
  messageId,
  object,
  requiredText,
  supergroup,
  text,
  withRight,
  writableChat,
} from './parameter.js';
import { postService } from './service.js';

const MAX_TITLE_LENGTH = 128;
const MAX_DESCRIPTION_LENGTH = 255;

const acceptedGifts = (accepts: boolean): object => ({
  unlimited_gifts: accepts,
  limited_gifts: accepts,
  unique_gifts: accepts,
  premium_subscription: accepts,
  gifts_from_channels: accepts,
});

/** The photo of a chat, in the two sizes that Telegram makes of it. */
const chatPhoto = (id: string): object => ({
  small_file_id: id,
  small_file_unique_id: id,
  big_file_id: id,
  big_file_unique_id: id,
});

function fullChat(chat: number, { account }: MethodCall): object {
  const { pinned, description, permissions, photo, stickerSet } = account.chats.details(chat);
  const newest = pinned.at(-1);
  const message = newest === undefined ? undefined : account.messages.find(chat, newest);
  return {
    ...account.chats.chat(chat),
    accent_color_id: Math.abs(chat) % 7,
    max_reaction_count: 11,
    accepted_gift_types: acceptedGifts(chat > 0),
    ...(chat < 0 && { permissions: permissions ?? each(memberPermissions, () => true) }),
    ...(description && { description }),
    ...(photo && { photo }),
    ...(stickerSet && { sticker_set_name: stickerSet }),
    ...(message && { pinned_message: withoutReply(message) }),
  };
}

const chatToPinIn = withRight(
  writableChat(),
  'can_pin_messages',
  'not enough rights to manage pinned messages in the chat',
  'can_edit_messages',
);

/** Returns the message that is to be pinned. @throws ApiError 400 */
function pinnable({ account }: MethodCall, chat: number, id: number): Message | undefined {
  const message = account.messages.find(chat, id);
  if (!message && !account.messages.mayHaveBeen(id)) throw ApiError.badRequest('message to pin not found');
  return message;
}

export const chatMethods: Methods = {
  getChat: method({ chat: chatId() }, ({ chat }, call) => fullChat(chat, call)),
  setChatTitle: method(
    {
      title: text('title'),
      chat: withRight(
        group("can't change private chat title"),
        'can_change_info',
        'not enough rights to change chat title',
      ),
    },
    ({ title, chat }, call) => {
      const cleaned = title.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_TITLE_LENGTH);
      if (cleaned === '') throw ApiError.badRequest('title must be non-empty');
      const { chats } = call.account;
      // The title that the chat has changes nothing.
      if (chats.chat(chat).title === cleaned) return true;
      chats.change(chat, { title: cleaned });
      postService(call, chat, { new_chat_title: cleaned });
      return true;
    },
  ),
  setChatDescription: method(
    {
      description: text('description'),
      chat: withRight(
        group("can't change private chat description"),
        'can_change_info',
        'not enough rights to set chat description',
      ),
    },
    ({ description, chat }, { account }) => {
      const details = account.chats.details(chat);
      const cleaned = description.slice(0, MAX_DESCRIPTION_LENGTH);
      if (cleaned === (details.description ?? ''))
        throw ApiError.badRequest('chat description is not modified');
      details.description = cleaned;
      return true;
    },
  ),
  setChatPhoto: method(
    {
      photo: { names: ['photo'], read: (given) => given['photo'] },
      chat: group("can't change private chat photo"),
    },
    ({ photo, chat }, call) => {
      if (!(photo instanceof Upload)) throw ApiError.badRequest('photo should be uploaded as an InputFile');
      const id = call.account.files.add('photo', photo);
      call.account.chats.details(chat).photo = chatPhoto(id);
      const shown = { file_id: id, file_unique_id: id, width: 640, height: 640, file_size: photo.size };
      postService(call, chat, { new_chat_photo: [shown] });
      return true;
    },
  ),
  deleteChatPhoto: method({ chat: group("can't change private chat photo") }, ({ chat }, call) => {
    const details = call.account.chats.details(chat);
    if (details.photo) postService(call, chat, { delete_chat_photo: true });
    delete details.photo;
    return true;
  }),
  setChatPermissions: method(
    {
      permissions: object('permissions', 'permissions'),
      chat: withRight(
        group("can't change private chat permissions"),
        'can_restrict_members',
        'not enough rights to change chat permissions',
      ),
    },
    ({ permissions = {}, chat }, { account }) => {
      account.chats.details(chat).permissions = each(memberPermissions, (name) => permissions[name] === true);
      return true;
    },
  ),
  setChatStickerSet: method(
    { name: requiredText('sticker_set_name'), chat: supergroup() },
    ({ name, chat }, { account }) => {
      account.chats.details(chat).stickerSet = name;
      return true;
    },
  ),
  deleteChatStickerSet: method({ chat: supergroup() }, ({ chat }, { account }) => {
    delete account.chats.details(chat).stickerSet;
    return true;
  }),
  pinChatMessage: method(
    { id: messageId(), chat: chatToPinIn, silent: flag('disable_notification') },
    ({ id, chat }, call) => {
      const message = pinnable(call, chat, id);
      const details = call.account.chats.details(chat);
      if (details.pinned.includes(id)) return true;
      details.pinned = [...details.pinned, id];
      if (message) postService(call, chat, { pinned_message: withoutReply(message) });
      return true;
    },
  ),
  unpinChatMessage: method({ chat: chatToPinIn, id: integer('message_id') }, ({ chat, id }, { account }) => {
    const details = account.chats.details(chat);
    const unpinned = id > 0 ? id : details.pinned.at(-1);
    if (unpinned === undefined || !details.pinned.includes(unpinned))
      throw ApiError.badRequest('message to unpin not found');
    details.pinned = details.pinned.filter((pinned) => pinned !== unpinned);
    return true;
  }),
  unpinAllChatMessages: method({ chat: chatToPinIn }, ({ chat }, { account }) => {
    account.chats.details(chat).pinned = [];
    return true;
  }),
  leaveChat: method(
    { chat: group("chat member status can't be changed in private chats") },
    ({ chat }, call) => {
      const { user } = call.account;
      postService(call, chat, { left_chat_member: user });
      changeMember(call, chat, { user, status: 'left' });
      return true;
    },
  ),
};
