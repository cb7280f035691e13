/** Methods about invite links, and about people who ask to join by one. */
import { ApiError } from '../api-response.js';
import { changeMember } from './members.js';
import { type MethodCall, type Methods, method } from './method.js';
import {
  flag,
  group,
  optionalInteger,
  optionalText,
  requiredText,
  userId,
  type Values,
  withRight,
} from './parameter.js';
import { postService } from './service.js';

const MAX_NAME_LENGTH = 32;

const chat = group("can't invite members to a private chat");
const linkedChat = withRight(chat, 'can_invite_users', 'not enough rights to manage chat invite link');
const link = requiredText('invite_link');

/** What a link may be. */
const settings = {
  name: optionalText('name'),
  expireDate: optionalInteger('expire_date'),
  memberLimit: optionalInteger('member_limit'),
  createsJoinRequest: flag('creates_join_request'),
};

function settingsOf({ name, expireDate, memberLimit, createsJoinRequest }: Values<typeof settings>): object {
  if (createsJoinRequest && memberLimit !== undefined)
    throw ApiError.badRequest("member limit can't be specified for links requiring administrator approval");
  return {
    creates_join_request: createsJoinRequest,
    ...(name !== undefined && { name: name.slice(0, MAX_NAME_LENGTH) }),
    ...(expireDate !== undefined && { expire_date: expireDate }),
    ...(memberLimit !== undefined && { member_limit: memberLimit }),
  };
}

/** Returns a link as it is after a change. @throws ApiError 400 if the chat has no such link */
function changed({ account }: MethodCall, id: number, url: string, changes: object): object {
  const after = account.inviteLinks.change(id, url, { ...changes });
  if (!after) throw ApiError.badRequest('INVITE_HASH_EXPIRED');
  return after;
}

/** Lets a person join who has asked to, or not. @throws ApiError 400 if nobody has asked */
function decide(call: MethodCall, id: number, person: number, mayJoin: boolean): true {
  const { account } = call;
  if (!account.joinRequests.delete(`${id}/${person}`)) throw ApiError.badRequest('HIDE_REQUESTER_MISSING');
  const user = account.chats.person(person);
  if (mayJoin) {
    postService(call, id, { new_chat_members: [user] }, user);
    changeMember(call, id, { user, status: 'member' });
  }
  return true;
}

export const inviteLinkMethods: Methods = {
  exportChatInviteLink: method(
    { chat: linkedChat },
    ({ chat: id }, { account }) => account.inviteLinks.createPrimary(id).invite_link,
  ),
  createChatInviteLink: method({ chat: linkedChat, ...settings }, ({ chat: id, ...given }, { account }) =>
    account.inviteLinks.create(id, { ...settingsOf(given) }),
  ),
  editChatInviteLink: method(
    { chat: linkedChat, link, ...settings },
    ({ chat: id, link: url, ...given }, call) => changed(call, id, url, settingsOf(given)),
  ),
  revokeChatInviteLink: method({ chat: linkedChat, link }, ({ chat: id, link: url }, call) =>
    changed(call, id, url, { is_revoked: true }),
  ),
  approveChatJoinRequest: method({ chat, user: userId() }, ({ chat: id, user }, call) =>
    decide(call, id, user, true),
  ),
  declineChatJoinRequest: method({ chat, user: userId() }, ({ chat: id, user }, call) =>
    decide(call, id, user, false),
  ),
};
