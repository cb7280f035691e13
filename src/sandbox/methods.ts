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
  'answerWebAppQuery',
  'approveChatJoinRequest',
  'banChatMember',
  'banChatSenderChat',
  'close',
  'closeForumTopic',
  'closeGeneralForumTopic',
  'declineChatJoinRequest',
  'deleteChatPhoto',
  'deleteChatStickerSet',
  'deleteForumTopic',
  'deleteStory',
  'editForumTopic',
  'editGeneralForumTopic',
  'hideGeneralForumTopic',
  'leaveChat',
  'pinChatMessage',
  'promoteChatMember',
  'readBusinessMessage',
  'refundStarPayment',
  'reopenForumTopic',
  'reopenGeneralForumTopic',
  'restrictChatMember',
  'sendChatAction',
  'sendMessageDraft',
  'setChatAdministratorCustomTitle',
  'setChatDescription',
  'setChatMemberTag',
  'setChatMenuButton',
  'setChatPermissions',
  'setChatPhoto',
  'setChatStickerSet',
  'setChatTitle',
  'setGameScore',
  'setMessageReaction',
  'setMyDefaultAdministratorRights',
  'setMyDescription',
  'setMyName',
  'setMyShortDescription',
  'setPassportDataErrors',
  'setUserEmojiStatus',
  'unbanChatMember',
  'unbanChatSenderChat',
  'unhideGeneralForumTopic',
  'unpinAllChatMessages',
  'unpinAllForumTopicMessages',
  'unpinAllGeneralForumTopicMessages',
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

/** Earlier names of methods, which Telegram still knows. */
const earlierNames: Methods = Object.fromEntries(
  [
    ['getChatMembersCount', 'getChatMemberCount'],
    ['kickChatMember', 'banChatMember'],
  ].flatMap(([earlier = '', name = '']) => {
    const method = methods[name];
    return method ? [[earlier, method] as const] : [];
  }),
);

const byLowerCaseName: ReadonlyMap<string, Method> = new Map(
  Object.entries({ ...methods, ...earlierNames }).map(([name, method]) => [name.toLowerCase(), method]),
);

/** Returns the method with a name in any case, or undefined without such a method. */
export const findMethod = (name: string): Method | undefined => byLowerCaseName.get(name.toLowerCase());

/** Whether a name, in any case, is that of a method that the sandbox knows. */
export const isMethodName = (name: string): boolean =>
  byLowerCaseName.has(name.toLowerCase()) || name.toLowerCase() === 'getupdates';
