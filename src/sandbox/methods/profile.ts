/** Methods about the bot itself: who it is, how it presents itself, and its commands. */
import { ApiError } from '../api-response.js';
import type { ProfileText } from '../state/bot-profile.js';
import { type Method, type Methods, method } from './method.js';
import { flag, integer, object, type Schema, text } from './parameter.js';

/** The longest text of each kind. */
const maxLengths: Readonly<Record<ProfileText, number>> = {
  name: 64,
  description: 512,
  short_description: 120,
};

const language = text('language_code');

const setsText = (kind: ProfileText): Method =>
  method({ value: text(kind), language }, ({ value, language: code }, { account }) => {
    if (value.length > maxLengths[kind]) throw ApiError.badRequest(`${kind.replace('_', ' ')} is too long`);
    account.profile.setText(kind, code, value);
    return true;
  });

const getsText = (kind: ProfileText): Method =>
  method({ language }, ({ language: code }, { account }) => {
    const fallback = kind === 'name' ? account.user.first_name : '';
    return { [kind]: account.profile.text(kind, code) ?? fallback };
  });

/** The parameters of methods about commands, which read the scope themselves. */
const commandScope: Schema = {
  scope: { names: ['scope', 'language_code'], read: () => undefined },
};

export const profileMethods: Methods = {
  getMe: method({}, (_, { account }) => ({
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: true,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
    // Node 20 takes eight times as long where it comes first.
    ...account.user,
  })),
  logOut: method({}, (_, { account }) => {
    account.logOut();
    return true;
  }),
  close: method({}, () => true),
  setMyCommands: method(
    { commands: { names: ['commands'], read: () => undefined }, ...commandScope },
    (_, { account, parameters }) => {
      account.commands.set(parameters);
      return true;
    },
  ),
  deleteMyCommands: method(commandScope, (_, { account, parameters }) => {
    account.commands.delete(parameters);
    return true;
  }),
  getMyCommands: method(commandScope, (_, { account, parameters }) => account.commands.get(parameters)),
  setMyName: setsText('name'),
  getMyName: getsText('name'),
  setMyDescription: setsText('description'),
  getMyDescription: getsText('description'),
  setMyShortDescription: setsText('short_description'),
  getMyShortDescription: getsText('short_description'),
  setChatMenuButton: method(
    { chat: integer('chat_id'), button: object('menu_button', 'menu button') },
    ({ chat, button }, { account }) => {
      const isDefault = button === undefined || button['type'] === 'default';
      if (!isDefault && !['commands', 'web_app'].includes(`${button['type']}`))
        throw ApiError.badRequest("can't parse menu button: MenuButton has unsupported type");
      account.profile.setMenuButton(chat, isDefault ? undefined : button);
      return true;
    },
  ),
  getChatMenuButton: method({ chat: integer('chat_id') }, ({ chat }, { account }) =>
    account.profile.menuButton(chat),
  ),
  setMyDefaultAdministratorRights: method(
    { rights: object('rights', 'ChatAdministratorRights'), forChannels: flag('for_channels') },
    ({ rights, forChannels }, { account }) => {
      account.profile.setRights(forChannels, rights ?? {});
      return true;
    },
  ),
  getMyDefaultAdministratorRights: method(
    { forChannels: flag('for_channels') },
    ({ forChannels }, { account }) => account.profile.rights(forChannels),
  ),
  setUserEmojiStatus: method({ user: integer('user_id') }, () => true),
  setPassportDataErrors: method({ user: integer('user_id') }, () => true),
};
