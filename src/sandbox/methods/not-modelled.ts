/** Methods that Telegram has and the sandbox does not: their calls are refused with words that say so. */
import { ApiError } from '../api-response.js';
import { type Method, type Methods, method } from './method.js';

const names = [
  // Business accounts and gifts
  'convertGiftToStars',
  'deleteBusinessMessages',
  'editUserStarSubscription',
  'getAvailableGifts',
  'getBusinessAccountGifts',
  'getBusinessAccountStarBalance',
  'getBusinessConnection',
  'getChatGifts',
  'getUserGifts',
  'giftPremiumSubscription',
  'readBusinessMessage',
  'removeBusinessAccountProfilePhoto',
  'sendGift',
  'setBusinessAccountBio',
  'setBusinessAccountGiftSettings',
  'setBusinessAccountName',
  'setBusinessAccountProfilePhoto',
  'setBusinessAccountUsername',
  'transferBusinessAccountStars',
  'transferGift',
  'upgradeGift',
  // Stories
  'deleteStory',
  'editStory',
  'postStory',
  'repostStory',
  // Messages of kinds that are not modelled
  'deleteAllMessageReactions',
  'deleteEphemeralMessage',
  'deleteMessageReaction',
  'editEphemeralMessageCaption',
  'editEphemeralMessageMedia',
  'editEphemeralMessageReplyMarkup',
  'editEphemeralMessageText',
  'editMessageChecklist',
  'sendChecklist',
  'sendLivePhoto',
  'sendRichMessage',
  'sendRichMessageDraft',
  // Chats and members
  'answerChatJoinRequestQuery',
  'answerGuestQuery',
  'approveSuggestedPost',
  'createChatSubscriptionInviteLink',
  'declineSuggestedPost',
  'editChatSubscriptionInviteLink',
  'getUserPersonalChatMessages',
  'removeChatVerification',
  'removeUserVerification',
  'sendChatJoinRequestWebApp',
  'verifyChat',
  'verifyUser',
  // The bot itself, and bots that it manages
  'getManagedBotAccessSettings',
  'getManagedBotToken',
  'removeMyProfilePhoto',
  'replaceManagedBotToken',
  'savePreparedInlineMessage',
  'savePreparedKeyboardButton',
  'setManagedBotAccessSettings',
  'setMyProfilePhoto',
  // Sticker sets, beyond their stickers and titles
  'replaceStickerInSet',
  'setCustomEmojiStickerSetThumbnail',
  'setStickerEmojiList',
  'setStickerKeywords',
  'setStickerMaskPosition',
  'setStickerSetThumbnail',
];

/** A 400: clients take a 404 for a bad token, and try again after a 5xx. */
const refused = (name: string): Method =>
  method({}, () => {
    throw ApiError.badRequest(`the sandbox does not model ${name}`);
  });

export const notModelledMethods: Methods = Object.fromEntries(names.map((name) => [name, refused(name)]));
