/** Methods about the bot itself, and methods that return information on chats, users and files. */
import { ApiError, success } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { integer, text } from '../parameters.js';
import { chatId, done, type Methods } from './method.js';

/** What the bot may do in groups: everything, since the sandbox does not model permissions. */
const administratorRights = {
  is_anonymous: false,
  can_be_edited: false,
  can_manage_chat: true,
  can_delete_messages: true,
  can_manage_video_chats: true,
  can_restrict_members: true,
  can_promote_members: true,
  can_change_info: true,
  can_invite_users: true,
  can_post_stories: true,
  can_edit_stories: true,
  can_delete_stories: true,
  can_pin_messages: true,
};

const acceptedGiftTypes = {
  unlimited_gifts: true,
  limited_gifts: true,
  unique_gifts: true,
  premium_subscription: true,
};

const botAsMember = ({ user }: BotAccount, chat: number): object =>
  chat > 0 ? { user, status: 'member' } : { user, status: 'administrator', ...administratorRights };

export const informationMethods: Methods = {
  getMe: ({ account }) =>
    success({
      ...account.user,
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: true,
      can_connect_to_business: false,
      has_main_web_app: false,
    }),
  logOut: ({ account }) => {
    account.logOut();
    return done();
  },
  setMyCommands: ({ account, parameters }) => {
    account.commands.set(parameters);
    return done();
  },
  deleteMyCommands: ({ account, parameters }) => {
    account.commands.delete(parameters);
    return done();
  },
  getMyCommands: ({ account, parameters }) => success(account.commands.get(parameters)),

  getChat: ({ account, parameters }) =>
    success({
      ...account.chats.chat(chatId(parameters)),
      accent_color_id: 0,
      max_reaction_count: 11,
      accepted_gift_types: acceptedGiftTypes,
    }),
  getChatMember: ({ account, parameters }) => {
    const chat = chatId(parameters);
    const id = integer(parameters, 'user_id', 0);
    if (id <= 0) throw ApiError.badRequest('invalid user_id specified');
    return success(
      id === account.id ? botAsMember(account, chat) : { user: account.chats.person(id), status: 'member' },
    );
  },
  getChatMemberCount: ({ parameters }) => {
    chatId(parameters);
    return success(2);
  },
  getChatAdministrators: ({ account, parameters }) => {
    const chat = chatId(parameters);
    if (chat > 0) throw ApiError.badRequest('there are no administrators in the private chat');
    return success([botAsMember(account, chat)]);
  },
  getMyName: ({ account }) => success({ name: account.user.first_name }),
  getMyDescription: () => success({ description: '' }),
  getMyShortDescription: () => success({ short_description: '' }),
  getChatMenuButton: () => success({ type: 'commands' }),
  getForumTopicIconStickers: () => success([]),
  getUserProfilePhotos: () => success({ total_count: 0, photos: [] }),
  getFile: ({ account, parameters }) => {
    const id = text(parameters, 'file_id');
    if (id === '') throw ApiError.badRequest('file_id not specified');
    const known = account.files.find(id);
    if (!known) throw ApiError.badRequest('wrong file_id or the file is temporarily unavailable');
    return success({ file_id: id, file_unique_id: id, file_size: known.size, file_path: known.path });
  },
};
