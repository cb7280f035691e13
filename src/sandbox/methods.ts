/**
 * The Bot API methods that the sandbox knows. Methods that matter for delivery are complete, methods that send give a
 * likely response, and many others only respond `true`. `getUpdates` is handled elsewhere (get-updates.ts).
 */
import { ApiError } from './api-response.js';
import { editMethods } from './methods/edit.js';
import { informationMethods } from './methods/information.js';
import { done, type Method, type Methods } from './methods/method.js';
import { sendMethods } from './methods/send.js';
import { webhookMethods } from './methods/webhook.js';
import { text } from './parameters.js';

/** Methods that are recorded and respond `true`, without any other effect. */
const acknowledged = [
  'answerInlineQuery',
  'answerPreCheckoutQuery',
  'answerShippingQuery',
  'approveChatJoinRequest',
  'banChatMember',
  'banChatSenderChat',
  'close',
  'closeForumTopic',
  'declineChatJoinRequest',
  'deleteChatPhoto',
  'deleteForumTopic',
  'editForumTopic',
  'leaveChat',
  'pinChatMessage',
  'promoteChatMember',
  'reopenForumTopic',
  'restrictChatMember',
  'sendChatAction',
  'setChatAdministratorCustomTitle',
  'setChatDescription',
  'setChatMenuButton',
  'setChatPermissions',
  'setChatPhoto',
  'setChatTitle',
  'setMessageReaction',
  'setMyDefaultAdministratorRights',
  'setMyDescription',
  'setMyName',
  'setMyShortDescription',
  'unbanChatMember',
  'unbanChatSenderChat',
  'unpinAllChatMessages',
  'unpinChatMessage',
];

const answerCallbackQuery: Method = ({ account, parameters }) => {
  if (!account.callbackQueries.answer(text(parameters, 'callback_query_id')))
    throw ApiError.badRequest('query is too old and response timeout expired or query ID is invalid');
  return done();
};

const methods: Methods = {
  answerCallbackQuery,
  ...Object.fromEntries(acknowledged.map((name) => [name, () => done()])),
  ...editMethods,
  ...informationMethods,
  ...sendMethods,
  ...webhookMethods,
};

const byLowerCaseName: ReadonlyMap<string, Method> = new Map(
  Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]),
);

/** Returns the method with a name in any case, or undefined without such a method. */
export const findMethod = (name: string): Method | undefined => byLowerCaseName.get(name.toLowerCase());

/** Whether a name, in any case, is that of a method that the sandbox knows. */
export const isMethodName = (name: string): boolean =>
  byLowerCaseName.has(name.toLowerCase()) || name.toLowerCase() === 'getupdates';
