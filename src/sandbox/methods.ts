/**
 * The table of the Bot API's methods: name → parameters → what is done → result. Each family has a file of its own in
 * `methods/`, in which a method stands by its name. `getUpdates` is served elsewhere (get-updates.ts).
 */
import { chatMethods } from './methods/chats.js';
import { copyMethods } from './methods/copies.js';
import { editMethods } from './methods/edit.js';
import { fileMethods } from './methods/files.js';
import { forumTopicMethods } from './methods/forum-topics.js';
import { gameMethods } from './methods/games.js';
import { inviteLinkMethods } from './methods/invite-links.js';
import { locationMethods } from './methods/location.js';
import { mediaMethods } from './methods/media.js';
import { memberMethods } from './methods/members.js';
import type { Method, Methods } from './methods/method.js';
import { notModelledMethods } from './methods/not-modelled.js';
import { paymentMethods } from './methods/payments.js';
import { pollMethods } from './methods/polls.js';
import { profileMethods } from './methods/profile.js';
import { queryMethods } from './methods/queries.js';
import { sendMethods } from './methods/send.js';
import { stickerMethods } from './methods/stickers.js';
import { webhookMethods } from './methods/webhook.js';

/** All methods that the sandbox models, except `getUpdates`. */
export const modelledMethods: Methods = {
  ...chatMethods,
  ...copyMethods,
  ...editMethods,
  ...fileMethods,
  ...forumTopicMethods,
  ...gameMethods,
  ...inviteLinkMethods,
  ...locationMethods,
  ...mediaMethods,
  ...memberMethods,
  ...paymentMethods,
  ...pollMethods,
  ...profileMethods,
  ...queryMethods,
  ...sendMethods,
  ...stickerMethods,
  ...webhookMethods,
};

/** Earlier names of methods, which Telegram still knows. */
const earlierNames = new Map([
  ['getChatMembersCount', 'getChatMemberCount'],
  ['kickChatMember', 'banChatMember'],
]);

const methods: Methods = {
  ...notModelledMethods,
  ...modelledMethods,
  ...Object.fromEntries(
    [...earlierNames].flatMap(([earlier, name]) => {
      const method = modelledMethods[name];
      return method ? [[earlier, method] as const] : [];
    }),
  ),
};

const byLowerCaseName: ReadonlyMap<string, Method> = new Map(
  Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]),
);

/** The names of all methods of the Bot API. */
export const methodNames: readonly string[] = ['getUpdates', ...Object.keys(methods)];

/** Returns the method with a name in any case, or undefined if Telegram has no such method. */
export const findMethod = (name: string): Method | undefined => byLowerCaseName.get(name.toLowerCase());

/** Whether a name, in any case, is that of a method of the Bot API. */
export const isMethodName = (name: string): boolean =>
  byLowerCaseName.has(name.toLowerCase()) || name.toLowerCase() === 'getupdates';
