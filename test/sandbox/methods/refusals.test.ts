/** What Telegram refuses, in its words. */
import { describe, expect, it } from '@jest/globals';
import { openTestSandbox } from '../test-sandbox.js';

const GROUP = -1_000_000_000_005;
const inline = (button: object) => ({ reply_markup: { inline_keyboard: [[button]] } });

/** A private chat with a person's message 1, the bot's text 2, photo 3, poll 4 and place 5. */
async function open() {
  const testSandbox = await openTestSandbox();
  const { sandbox, call } = testSandbox;
  sandbox.say({ chat: 1, text: 'mine' });
  await call('sendMessage', { chat_id: 1, text: 'text' });
  await call('sendPhoto', { chat_id: 1, photo: 'p' });
  await call('sendPoll', { chat_id: 1, question: 'q', options: ['a'] });
  await call('sendLocation', { chat_id: 1, latitude: 1, longitude: 2 });
  return testSandbox;
}

describe('refuses', () => {
  it.each([
    // Messages that are not there, or are not the bot's
    ['deleteMessage', { message_id: 99 }, 'message to delete not found'],
    ['deleteMessage', {}, 'message identifier is not specified'],
    ['editMessageText', { message_id: 1, text: 'x' }, "message can't be edited"],
    ['editMessageText', { message_id: 99, text: 'x' }, 'message to edit not found'],
    ['editMessageText', { message_id: 3, text: 'x' }, 'there is no text in the message to edit'],
    [
      'editMessageText',
      { message_id: 2, text: 'text' },
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    ],
    ['editMessageCaption', { message_id: 2, caption: 'x' }, 'there is no caption in the message to edit'],
    [
      'editMessageMedia',
      { message_id: 4, media: { type: 'photo', media: 'x' } },
      'there is no media in the message to edit',
    ],
    ['editMessageMedia', { message_id: 3 }, 'input media is not specified'],
    [
      'editMessageLiveLocation',
      { message_id: 5, latitude: 1, longitude: 1 },
      'there is no live location in the message to edit',
    ],
    ['stopPoll', { message_id: 2 }, 'message is not a poll'],
    ['stopPoll', { message_id: 99 }, 'message with poll to stop not found'],
    ['forwardMessage', { from_chat_id: 1, message_id: 99 }, 'message to forward not found'],
    ['copyMessage', { from_chat_id: 1, message_id: 99 }, 'message to copy not found'],
    ['copyMessages', { from_chat_id: 1, message_ids: [98, 99] }, 'message to forward not found'],
    ['sendMessage', { text: 'x', reply_parameters: { message_id: 99 } }, 'message to be replied not found'],
    ['pinChatMessage', { message_id: 99 }, 'message to pin not found'],
    ['unpinChatMessage', { message_id: 2 }, 'message to unpin not found'],
    ['setMessageReaction', { message_id: 99, reaction: [] }, 'message to react not found'],
    // Keyboards
    [
      'sendMessage',
      { text: 'x', ...inline({ text: 'A', callback_data: 'x'.repeat(65) }) },
      'BUTTON_DATA_INVALID',
    ],
    ['sendMessage', { text: 'x', reply_markup: '{bad' }, "can't parse reply keyboard markup JSON object"],
    ['sendMessage', { text: 'x', reply_markup: '[]' }, 'object expected as reply markup'],
    [
      'sendMessage',
      { text: 'x', ...inline({ text: 'A' }) },
      "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      'sendMessage',
      { text: 'x', ...inline({ callback_data: 'A' }) },
      'can\'t parse inline keyboard button: Can\'t find field "text"',
    ],
    [
      'sendMessage',
      { text: 'x', ...inline({ text: 'A', url: 'localhost' }) },
      "inline keyboard button URL 'localhost' is invalid: Wrong HTTP URL",
    ],
    [
      'sendMessage',
      { text: 'x', reply_markup: { inline_keyboard: [{}] } },
      'Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    ],
    [
      'sendMessage',
      { text: 'x', reply_markup: { keyboard: [[{}]] } },
      'can\'t parse keyboard button: Can\'t find field "text"',
    ],
    ...(
      [
        ['editMessageText', { message_id: 2, text: 'x' }],
        ['editMessageReplyMarkup', { message_id: 2 }],
        ['editMessageCaption', { message_id: 3, caption: 'x' }],
        ['stopPoll', { message_id: 4 }],
      ] as const
    ).flatMap(([name, given]) =>
      [{ keyboard: [['a']] }, { remove_keyboard: true }, { force_reply: true }].map(
        (reply_markup) => [name, { ...given, reply_markup }, 'inline keyboard expected'] as const,
      ),
    ),
    [
      'editMessageText',
      { message_id: 99, text: 'x', reply_markup: { remove_keyboard: true } },
      'message to edit not found',
    ],
    // Content
    ['sendPhoto', {}, 'there is no photo in the request'],
    [
      'sendMediaGroup',
      { media: Array.from({ length: 11 }, () => ({ type: 'photo', media: 'p' })) },
      'too many messages to send as an album',
    ],
    ['sendPhoto', { photo: 'attach://photo' }, 'there is no photo in the request'],
    ['sendPhoto', { photo: 'attach://other', other: 'p' }, 'there is no photo in the request'],
    ...['voice', 'video_note', 'sticker'].map(
      (type) =>
        [
          'editMessageMedia',
          { message_id: 3, media: { type, media: 'x' } },
          `can't parse InputMedia: type "${type}" is unsupported`,
        ] as const,
    ),
    [
      'editMessageMedia',
      { message_id: 3, media: { type: 'photo', media: 'attach://media' } },
      "can't parse InputMedia: media not found",
    ],
    ...(
      [
        [['animation', 'photo'], `can't parse InputMedia: type "animation" can't be used in sendMediaGroup`],
        [['photo', 'document'], "document can't be mixed with other media types"],
        [['audio', 'video'], "audio can't be mixed with other media types"],
        [['photo', 'voice'], `can't parse InputMedia: type "voice" is unsupported`],
      ] as const
    ).map(
      ([types, words]) =>
        ['sendMediaGroup', { media: types.map((type) => ({ type, media: 'x' })) }, words] as const,
    ),
    ['sendMessage', { text: 'x', message_thread_id: 2 }, 'message thread not found'],
    ['sendMessage', { chat_id: GROUP, text: 'x', message_thread_id: 99 }, 'message thread not found'],
    ['sendPoll', { question: ' ', options: ['a'] }, 'poll question must be non-empty'],
    ['sendPoll', { question: 'q', options: [''] }, 'poll options must be non-empty'],
    ['sendPoll', { question: 'q', options: ['a'], type: 'quiz' }, 'wrong correct option ID specified'],
    ['sendDice', { emoji: 'x' }, 'DICE_EMOJI_INVALID'],
    ['sendChatAction', { action: 'sleep' }, 'wrong parameter action in request'],
    [
      'sendInvoice',
      { title: 't', description: 'd', payload: 'p', provider_token: 'x', currency: 'EUR', prices: [] },
      'there must be at least one price',
    ],
    [
      'sendInvoice',
      { title: 't', description: 'd', payload: 'p', currency: 'EUR', prices: [{ label: 'l', amount: 1 }] },
      'PAYMENT_PROVIDER_INVALID',
    ],
    ['setGameScore', { user_id: 1, message_id: 2, score: 1 }, 'message to set game score not found'],
    // Queries
    [
      'answerCallbackQuery',
      { callback_query_id: 'never' },
      'query is too old and response timeout expired or query ID is invalid',
    ],
    ['answerCallbackQuery', { callback_query_id: 'x', text: 'x'.repeat(201) }, 'MESSAGE_TOO_LONG'],
    [
      'answerInlineQuery',
      { inline_query_id: 'never' },
      'query is too old and response timeout expired or query ID is invalid',
    ],
    [
      'answerPreCheckoutQuery',
      { pre_checkout_query_id: 'never', ok: true },
      'query is too old and response timeout expired or query ID is invalid',
    ],
    ['editMessageText', { chat_id: undefined, inline_message_id: 'never', text: 'x' }, 'MESSAGE_ID_INVALID'],
    // Chats
    ['setChatTitle', { title: 'x' }, "can't change private chat title"],
    ['setChatDescription', { description: 'x' }, "can't change private chat description"],
    ['setChatPermissions', { permissions: {} }, "can't change private chat permissions"],
    ['leaveChat', {}, "chat member status can't be changed in private chats"],
    ['getChatAdministrators', {}, 'there are no administrators in the private chat'],
    ['restrictChatMember', { user_id: 5, permissions: {} }, 'method is available only in supergroups'],
    ['restrictChatMember', { chat_id: GROUP, user_id: 7_000_000_000 }, "can't restrict self"],
    ['promoteChatMember', { chat_id: GROUP, user_id: 7_000_000_000 }, "can't promote self"],
    ['setChatTitle', { chat_id: GROUP, title: ' ' }, 'title must be non-empty'],
    ['setChatPhoto', { chat_id: GROUP, photo: 'x' }, 'photo should be uploaded as an InputFile'],
    [
      'setChatAdministratorCustomTitle',
      { chat_id: GROUP, user_id: 5, custom_title: 'x' },
      'user is not an administrator',
    ],
    ['approveChatJoinRequest', { chat_id: GROUP, user_id: 5 }, 'HIDE_REQUESTER_MISSING'],
    ['editForumTopic', { chat_id: GROUP, message_thread_id: 5, name: 'x' }, 'TOPIC_ID_INVALID'],
    ['getStickerSet', { name: 'x' }, 'STICKERSET_INVALID'],
    [
      'setMyCommands',
      { commands: [], scope: { type: 'x' } },
      "can't parse BotCommandScope: Unsupported type specified",
    ],
  ])('%s %j', async (method, parameters, words) => {
    const { call } = await open();
    expect(await call(method, { chat_id: 1, ...parameters })).toEqual({
      ok: false,
      error_code: 400,
      description: `Bad Request: ${words}`,
    });
  });

  it('a second stop of a poll, a second refund, and a lower score', async () => {
    const { call } = await open();
    await call('stopPoll', { chat_id: 1, message_id: 4 });
    expect((await call('stopPoll', { chat_id: 1, message_id: 4 })).description).toContain(
      'poll has already been closed',
    );
    await call('sendGame', { chat_id: 1, game_short_name: 'chess' });
    const score = { chat_id: 1, message_id: 6, user_id: 1, score: 5 };
    await call('setGameScore', score);
    expect((await call('setGameScore', { ...score, score: 4 })).description).toContain(
      'BOT_SCORE_NOT_MODIFIED',
    );
    expect((await call('setGameScore', { ...score, score: 4, force: true })).ok).toBe(true);
  });

  it('to copy what is protected, or what only says what has happened', async () => {
    const { call } = await open();
    await call('sendMessage', { chat_id: 1, text: 'x', protect_content: true });
    await call('pinChatMessage', { chat_id: 1, message_id: 2 });
    for (const message_id of [6, 7]) {
      const source = { chat_id: 1, from_chat_id: 1, message_id };
      expect((await call('copyMessage', source)).description).toContain("the message can't be copied");
      expect((await call('forwardMessage', source)).description).toContain("the message can't be forwarded");
    }
  });
});
