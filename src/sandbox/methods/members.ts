/** Methods about the members of chats. What they change, Telegram tells the bot in updates. */
import { ApiError } from '../api-response.js';
import { unixSeconds } from '../message.js';
import { flag as isSet } from '../parameters.js';
import { administratorRights, type ChatMember, each, isInChat, memberPermissions } from '../state/members.js';
import { acknowledged, type MethodCall, type Methods, method } from './method.js';
import {
  chatId,
  flag,
  group,
  integer,
  object,
  type Parameter,
  supergroup,
  text,
  userId,
  withRight,
} from './parameter.js';
import { postService } from './service.js';

const MAX_CUSTOM_TITLE_LENGTH = 16;

/** Changes what a user is in a chat, and tells the bot of it, as every administrator is told. */
export function changeMember(
  { account }: Pick<MethodCall, 'account'>,
  chat: number,
  member: ChatMember,
  from = account.user,
): void {
  const before = account.members.of(chat, member.user);
  if (JSON.stringify(before) === JSON.stringify(member)) return;
  account.members.set(chat, member);
  const change = {
    chat: account.chats.chat(chat),
    from,
    date: unixSeconds(),
    old_chat_member: before,
    new_chat_member: member,
  };
  account.add([{ [member.user.id === account.id ? 'my_chat_member' : 'chat_member']: change }]);
}

/** The rights that a call grants. */
const rights: Parameter<Readonly<Record<string, boolean>>> = {
  names: [...administratorRights],
  read: (given) => each(administratorRights, (name) => isSet(given, name)),
};

const inGroup = group("chat member status can't be changed in private chats");
const inSupergroup = supergroup();

const NO_RIGHT_TO_RESTRICT = 'not enough rights to restrict/unrestrict chat member';

/** A chat of whose members the bot decides. */
const restrictedIn = (chat: Parameter<number>): Parameter<number> =>
  withRight(chat, 'can_restrict_members', NO_RIGHT_TO_RESTRICT);

/** Refuses to change what the bot itself is. */
function notSelf({ account }: MethodCall, user: number, what: string): void {
  if (user === account.id) throw ApiError.badRequest(`can't ${what} self`);
}

export const memberMethods: Methods = {
  getChatMember: method({ user: userId(), chat: chatId() }, ({ user, chat }, { account }) =>
    account.members.of(chat, user === account.id ? account.user : account.chats.person(user)),
  ),
  getChatMemberCount: method({ chat: chatId() }, ({ chat }, { account }) =>
    chat > 0 ? 2 : account.members.in(chat).length,
  ),
  getChatAdministrators: method(
    { chat: group('there are no administrators in the private chat') },
    ({ chat }, { account }) =>
      account.members.in(chat).filter(({ status }) => ['administrator', 'creator'].includes(status)),
  ),
  banChatMember: method(
    {
      user: userId(),
      chat: restrictedIn(inGroup),
      until: integer('until_date', 0, 0),
      revokes: flag('revoke_messages'),
    },
    ({ user, chat, until }, call) => {
      notSelf(call, user, 'restrict');
      const person = call.account.chats.person(user);
      const wasInChat = isInChat(call.account.members.of(chat, person));
      if (wasInChat) postService(call, chat, { left_chat_member: person });
      changeMember(call, chat, { user: person, status: 'kicked', until_date: until });
      return true;
    },
  ),
  unbanChatMember: method(
    { user: userId(), chat: inGroup, onlyIfBanned: flag('only_if_banned') },
    ({ user, chat, onlyIfBanned }, call) => {
      notSelf(call, user, 'unban');
      const { chats, members } = call.account;
      const person = chats.person(user);
      const before = members.of(chat, person);
      // Telegram looks for the ban first: where there is none, a bot needs no right to do nothing.
      if (onlyIfBanned && before.status !== 'kicked') return true;
      if (!members.botMay(chat, 'can_restrict_members')) throw ApiError.badRequest(NO_RIGHT_TO_RESTRICT);
      // Who is not banned is removed, but may come back.
      if (isInChat(before)) postService(call, chat, { left_chat_member: person });
      changeMember(call, chat, { user: person, status: 'left' });
      return true;
    },
  ),
  restrictChatMember: method(
    {
      user: userId(),
      permissions: object('permissions', 'permissions'),
      chat: restrictedIn(inSupergroup),
      until: integer('until_date', 0, 0),
    },
    ({ user, permissions = {}, chat, until }, call) => {
      notSelf(call, user, 'restrict');
      const person = call.account.chats.person(user);
      const is_member = isInChat(call.account.members.of(chat, person));
      const kept = each(memberPermissions, (name) => permissions[name] === true);
      const isFree = Object.values(kept).every(Boolean);
      changeMember(
        call,
        chat,
        isFree
          ? { user: person, status: is_member ? 'member' : 'left' }
          : { user: person, status: 'restricted', is_member, ...kept, until_date: until },
      );
      return true;
    },
  ),
  promoteChatMember: method(
    { user: userId(), rights, isAnonymous: flag('is_anonymous'), chat: inGroup },
    ({ user, rights: granted, isAnonymous, chat }, call) => {
      notSelf(call, user, 'promote');
      const person = call.account.chats.person(user);
      const hasAny = Object.values(granted).some(Boolean) || isAnonymous;
      changeMember(
        call,
        chat,
        hasAny
          ? {
              user: person,
              status: 'administrator',
              can_be_edited: true,
              is_anonymous: isAnonymous,
              ...granted,
              // Any right includes this one.
              can_manage_chat: true,
            }
          : { user: person, status: 'member' },
      );
      return true;
    },
  ),
  setChatAdministratorCustomTitle: method(
    { user: userId(), chat: inSupergroup, title: text('custom_title') },
    ({ user, chat, title }, { account }) => {
      const member = account.members.of(chat, account.chats.person(user));
      if (member.status !== 'administrator') throw ApiError.badRequest('user is not an administrator');
      if (title.length > MAX_CUSTOM_TITLE_LENGTH) throw ApiError.badRequest('CUSTOM_TITLE_INVALID');
      account.members.set(chat, { ...member, custom_title: title });
      return true;
    },
  ),
  setChatMemberTag: acknowledged({ user: userId(), chat: inSupergroup, tag: text('tag') }),
  banChatSenderChat: acknowledged({ sender: chatId('sender_chat_id'), chat: inSupergroup }),
  unbanChatSenderChat: acknowledged({ sender: chatId('sender_chat_id'), chat: inSupergroup }),
};
