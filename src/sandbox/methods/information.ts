/** Methods about the bot itself, and methods that return information on chats, users and files. */
import { ApiError, success } from '../api-response.js';
import { chat } from '../message.js';
import { integer, structure, text } from '../parameters.js';
import { chatId, done, type Methods } from './method.js';

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
    account.commands = structure(parameters, 'commands') ?? [];
    return done();
  },
  getMyCommands: ({ account }) => success(account.commands),

  getChat: ({ parameters }) => success(chat(chatId(parameters))),
  getChatMember: ({ parameters }) => {
    const id = integer(parameters, 'user_id', 0);
    return success({ user: { id, is_bot: false, first_name: `Person ${id}` }, status: 'member' });
  },
  getChatMemberCount: () => success(2),
  getChatAdministrators: () => success([]),
  getUserProfilePhotos: () => success({ total_count: 0, photos: [] }),
  getFile: ({ parameters }) => {
    const id = text(parameters, 'file_id');
    if (id === '') throw ApiError.badRequest('invalid file_id');
    return success({ file_id: id, file_unique_id: id });
  },
};
