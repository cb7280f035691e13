/**
 * Holds every answer and every update of the sandbox to the types of two libraries: a program with all of them as literals
 * is compiled. So no field is missing that a bot may rely on, and none has another type.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { methodNames, modelledMethods } from '../../src/sandbox/methods.js';
import type { Sandbox } from '../../src/sandbox/sandbox.js';
import { Folder, repository } from '../support/folder.js';
import { openTestSandbox, type TestSandbox } from './test-sandbox.js';

const button = { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] };
const invoice = {
  title: 'Book',
  description: 'A book',
  payload: 'book',
  provider_token: 'x',
  currency: 'EUR',
  prices: [{ label: 'Book', amount: 1_000 }],
};
const photo = { type: 'photo', media: 'p', caption: 'one' };
const GROUP = -1_000_000_000_005;

type Step =
  | readonly [method: string, parameters?: object | ((sandbox: Sandbox) => object)]
  | ((sandbox: TestSandbox) => void);

/** The id of the newest query of a kind. */
const query = (sandbox: Sandbox, kind: string) =>
  sandbox.queries().findLast((asked) => asked.kind === kind)?.id;

/** The id of the newest message of a chat that has a field. */
const newest = (sandbox: Sandbox, chat: number, field: string) =>
  sandbox.messages(chat).findLast(({ message }) => message[field] !== undefined)?.message.message_id;

/** Names the newest message of the private chat that has a field, beside other parameters. */
const at =
  (field: string, parameters: object = {}) =>
  (sandbox: Sandbox) => ({ chat_id: 1, message_id: newest(sandbox, 1, field), ...parameters });

const inTopic =
  (parameters: object = {}) =>
  (sandbox: Sandbox) => ({
    chat_id: GROUP,
    message_thread_id: newest(sandbox, GROUP, 'forum_topic_created'),
    ...parameters,
  });

/** Calls of every method that the sandbox models, each with what it needs before it. */
const steps: readonly Step[] = [
  ['getMe'],
  ['getWebhookInfo'],
  ['setWebhook', { url: 'https://bot.example' }],
  ['deleteWebhook'],
  [
    'getUpdates',
    {
      allowed_updates: [
        'message',
        'callback_query',
        'chat_member',
        'my_chat_member',
        'poll',
        'poll_answer',
        'shipping_query',
        'pre_checkout_query',
        'inline_query',
        'chat_join_request',
      ],
    },
  ],
  ({ sandbox }) => sandbox.say({ chat: 1, text: '/start hello', from: 'Ada' }),
  [
    'sendMessage',
    {
      chat_id: 1,
      text: '<b>x</b> https://example.org',
      parse_mode: 'HTML',
      reply_markup: button,
      reply_parameters: { message_id: 1 },
    },
  ],
  ({ sandbox }) => sandbox.press({ chat: 1, button: 'A' }),
  [
    'answerCallbackQuery',
    (sandbox) => ({ callback_query_id: query(sandbox, 'callback_query'), text: 'pressed' }),
  ],
  ['editMessageText', { chat_id: 1, message_id: 2, text: 'edited' }],
  ['editMessageReplyMarkup', { chat_id: 1, message_id: 2, reply_markup: button }],
  ['setMessageReaction', { chat_id: 1, message_id: 2, reaction: [{ type: 'emoji', emoji: '👍' }] }],
  ['forwardMessage', { chat_id: 1, from_chat_id: 1, message_id: 1 }],
  ['forwardMessages', { chat_id: 1, from_chat_id: 1, message_ids: [1, 2] }],
  ['copyMessage', { chat_id: 1, from_chat_id: 1, message_id: 1 }],
  ['copyMessages', { chat_id: 1, from_chat_id: 1, message_ids: [1, 2] }],
  ['deleteMessages', { chat_id: 1, message_ids: [3, 4] }],
  ['sendPhoto', { chat_id: 1, photo: 'p', caption: '*x*', parse_mode: 'Markdown' }],
  ['editMessageCaption', at('photo', { caption: 'new' })],
  ['editMessageMedia', at('photo', { media: { type: 'video', media: 'v' } })],
  ['deleteMessage', at('video')],
  ['sendAudio', { chat_id: 1, audio: 'a' }],
  ['sendDocument', { chat_id: 1, document: 'd' }],
  ['sendVideo', { chat_id: 1, video: 'v' }],
  ['sendAnimation', { chat_id: 1, animation: 'a' }],
  ['sendVoice', { chat_id: 1, voice: 'v' }],
  ['sendVideoNote', { chat_id: 1, video_note: 'v' }],
  ['sendMediaGroup', { chat_id: 1, media: [photo, { type: 'video', media: 'v' }] }],
  ['sendPaidMedia', { chat_id: 1, star_count: 1, media: [photo] }],
  ['sendSticker', { chat_id: 1, sticker: 's' }],
  ['getFile', { file_id: 's' }],
  ['sendLocation', { chat_id: 1, latitude: 1, longitude: 2, live_period: 60 }],
  ['editMessageLiveLocation', at('location', { latitude: 2, longitude: 3 })],
  ['stopMessageLiveLocation', at('location')],
  ['sendVenue', { chat_id: 1, latitude: 1, longitude: 2, title: 't', address: 'a' }],
  ['sendContact', { chat_id: 1, phone_number: '1', first_name: 'A' }],
  ['sendDice', { chat_id: 1 }],
  ['sendMessageDraft', { chat_id: 1, draft_id: 1, text: 'x' }],
  ['sendChatAction', { chat_id: 1, action: 'typing' }],
  ['sendPoll', { chat_id: 1, question: 'q', options: ['a', { text: 'b' }], is_anonymous: false }],
  ({ sandbox }) => sandbox.vote({ chat: 1, options: [1] }),
  ['stopPoll', at('poll')],
  ['sendPoll', { chat_id: 1, question: 'q', options: ['a', 'b'], type: 'quiz', correct_option_ids: [0] }],
  ['sendInvoice', { chat_id: 1, ...invoice, is_flexible: true, need_shipping_address: true }],
  ({ sandbox }) => sandbox.press({ chat: 1, button: 'Pay' }),
  [
    'answerShippingQuery',
    (sandbox) => ({
      shipping_query_id: query(sandbox, 'shipping_query'),
      ok: true,
      shipping_options: [{ id: 'post', title: 'Post', prices: [{ label: 'Post', amount: 5 }] }],
    }),
  ],
  [
    'answerPreCheckoutQuery',
    (sandbox) => ({ pre_checkout_query_id: query(sandbox, 'pre_checkout_query'), ok: true }),
  ],
  ['createInvoiceLink', invoice],
  ['refundStarPayment', { user_id: 1, telegram_payment_charge_id: 'sandbox-charge-1' }],
  ['getStarTransactions'],
  ['getMyStarBalance'],
  ['sendGame', { chat_id: 1, game_short_name: 'chess' }],
  ['setGameScore', at('game', { user_id: 1, score: 5 })],
  ['getGameHighScores', at('game', { user_id: 1 })],
  ({ sandbox }) => sandbox.press({ chat: 1, button: 'Play chess' }),
  ({ sandbox }) => {
    const from = { id: 1, is_bot: false, first_name: 'Ada' };
    sandbox.addUpdates([{ inline_query: { id: 'i', from, query: '', offset: '' } }]);
    const request = { chat: { id: GROUP, type: 'supergroup', title: 'G' }, from, user_chat_id: 1, date: 1 };
    sandbox.addUpdates([{ chat_join_request: request }]);
    sandbox.addUpdates([{ chat_join_request: { ...request, from: { ...from, id: 2 } } }]);
  },
  ['answerInlineQuery', { inline_query_id: 'i', results: [] }],
  ['answerWebAppQuery', { web_app_query_id: 'w', result: {} }],
  ['approveChatJoinRequest', { chat_id: GROUP, user_id: 1 }],
  ['declineChatJoinRequest', { chat_id: GROUP, user_id: 2 }],
  ({ sandbox }) => sandbox.say({ chat: GROUP, text: 'x', from: 'Ada', fromId: 5 }),
  ['pinChatMessage', (sandbox) => ({ chat_id: GROUP, message_id: newest(sandbox, GROUP, 'text') })],
  ['getChat', { chat_id: GROUP }],
  ['getChat', { chat_id: 1 }],
  ['unpinChatMessage', { chat_id: GROUP }],
  ['unpinAllChatMessages', { chat_id: GROUP }],
  ['setChatTitle', { chat_id: GROUP, title: 'New' }],
  ['setChatDescription', { chat_id: GROUP, description: 'New' }],
  ['deleteChatPhoto', { chat_id: GROUP }],
  ['setChatPermissions', { chat_id: GROUP, permissions: {} }],
  ['setChatStickerSet', { chat_id: GROUP, sticker_set_name: 'set' }],
  ['deleteChatStickerSet', { chat_id: GROUP }],
  ['getChatMember', { chat_id: GROUP, user_id: 5 }],
  ['getChatMemberCount', { chat_id: GROUP }],
  ['getChatAdministrators', { chat_id: GROUP }],
  ['restrictChatMember', { chat_id: GROUP, user_id: 5, permissions: {} }],
  ['getChatMember', { chat_id: GROUP, user_id: 5 }],
  ['promoteChatMember', { chat_id: GROUP, user_id: 5, can_pin_messages: true }],
  ['setChatAdministratorCustomTitle', { chat_id: GROUP, user_id: 5, custom_title: 'chief' }],
  ['getChatMember', { chat_id: GROUP, user_id: 5 }],
  ['banChatMember', { chat_id: GROUP, user_id: 5 }],
  ['getChatMember', { chat_id: GROUP, user_id: 5 }],
  ['unbanChatMember', { chat_id: GROUP, user_id: 5 }],
  ['setChatMemberTag', { chat_id: GROUP, user_id: 5, tag: 'x' }],
  ['banChatSenderChat', { chat_id: GROUP, sender_chat_id: -5 }],
  ['unbanChatSenderChat', { chat_id: GROUP, sender_chat_id: -5 }],
  ['exportChatInviteLink', { chat_id: GROUP }],
  ['createChatInviteLink', { chat_id: GROUP, name: 'n', member_limit: 5 }],
  ['editChatInviteLink', { chat_id: GROUP, invite_link: 'https://t.me/+sandbox2', name: 'm' }],
  ['revokeChatInviteLink', { chat_id: GROUP, invite_link: 'https://t.me/+sandbox2' }],
  ['getForumTopicIconStickers'],
  ['createForumTopic', { chat_id: GROUP, name: 'Topic' }],
  ['editForumTopic', inTopic({ name: 'New' })],
  ['sendMessage', inTopic({ text: 'in a topic' })],
  ['closeForumTopic', inTopic()],
  ['reopenForumTopic', inTopic()],
  ['unpinAllForumTopicMessages', inTopic()],
  ['deleteForumTopic', inTopic()],
  ['editGeneralForumTopic', { chat_id: GROUP, name: 'x' }],
  ['closeGeneralForumTopic', { chat_id: GROUP }],
  ['reopenGeneralForumTopic', { chat_id: GROUP }],
  ['hideGeneralForumTopic', { chat_id: GROUP }],
  ['unhideGeneralForumTopic', { chat_id: GROUP }],
  ['unpinAllGeneralForumTopicMessages', { chat_id: GROUP }],
  ['leaveChat', { chat_id: GROUP }],
  ['setMyCommands', { commands: [{ command: 'a', description: 'A' }] }],
  ['getMyCommands'],
  ['deleteMyCommands'],
  ['setMyName', { name: 'N' }],
  ['getMyName'],
  ['setMyDescription', { description: 'D' }],
  ['getMyDescription'],
  ['setMyShortDescription', { short_description: 'S' }],
  ['getMyShortDescription'],
  ['setChatMenuButton', { menu_button: { type: 'commands' } }],
  ['getChatMenuButton'],
  ['setMyDefaultAdministratorRights', { rights: { can_pin_messages: true } }],
  ['getMyDefaultAdministratorRights'],
  ['setUserEmojiStatus', { user_id: 1 }],
  ['setPassportDataErrors', { user_id: 1, errors: [] }],
  ['getUserProfilePhotos', { user_id: 1 }],
  ['getUserProfileAudios', { user_id: 1 }],
  ['getUserChatBoosts', { chat_id: GROUP, user_id: 1 }],
  ['uploadStickerFile', { user_id: 1, sticker: 's', sticker_format: 'static' }],
  [
    'createNewStickerSet',
    {
      user_id: 1,
      name: 'set',
      title: 'Set',
      stickers: [{ sticker: 's', format: 'static', emoji_list: ['👍'] }],
    },
  ],
  [
    'addStickerToSet',
    { user_id: 1, name: 'set', sticker: { sticker: 't', format: 'static', emoji_list: ['👍'] } },
  ],
  ['getStickerSet', { name: 'set' }],
  ['getCustomEmojiStickers', { custom_emoji_ids: ['5'] }],
  ['setStickerPositionInSet', { sticker: 's', position: 0 }],
  ['deleteStickerFromSet', { sticker: 's' }],
  ['setStickerSetTitle', { name: 'set', title: 'T' }],
  ['deleteStickerSet', { name: 'set' }],
  ['getUpdates', { limit: 100, timeout: 0 }],
  ['close'],
  ['logOut'],
];

/** Needs an upload, which a JSON call cannot have. */
const uploading = ['setChatPhoto'];

it('has every field that the types of Telegraf and grammY require', async () => {
  const testSandbox = await openTestSandbox();
  const answers: { method: string; result: unknown }[] = [];
  for (const step of steps) {
    if (typeof step === 'function') {
      step(testSandbox);
      continue;
    }
    const [method, parameters] = step;
    await testSandbox.clock.advance(5_000);
    const given = typeof parameters === 'function' ? parameters(testSandbox.sandbox) : parameters;
    const answer = await testSandbox.call(method, given);
    expect({ method, ...answer }).toMatchObject({ method, ok: true });
    answers.push({ method, result: answer.result });
  }
  const called = new Set(answers.map(({ method }) => method));
  expect(
    Object.keys(modelledMethods).filter((name) => !called.has(name) && !uploading.includes(name)),
  ).toEqual([]);

  using folder = new Folder().linkPackages();
  const answersAsLiterals = answers.map(({ method, result }) => `check<'${method}'>()(${literal(result)});`);
  const names = Object.entries(modelledMethods).map(([method, { parameters }]) => {
    const current = parameters.filter((name) => name !== 'reply_to_message_id');
    return `parameters<'${method}'>()(${JSON.stringify(current)});`;
  });
  folder.write('telegraf.ts', declarations('@telegraf/types', outdated) + answersAsLiterals.join('\n'));
  folder.write(
    'grammy.ts',
    `${declarations('@grammyjs/types', [])}
${answersAsLiterals.join('\n')}
${names.join('\n')}
methods(${JSON.stringify(Object.fromEntries(methodNames.map((name) => [name, true])))});
`,
  );
  // Without these, nobody would know that the compiler looks at the others.
  const wrong = "check<'getMe'>()({ id: 1, is_bot: true });";
  folder.write('wrong-telegraf.ts', declarations('@telegraf/types', outdated) + wrong);
  folder.write('wrong-grammy.ts', declarations('@grammyjs/types', []) + wrong);
  const found = await compile(folder, ['telegraf.ts', 'grammy.ts', 'wrong-telegraf.ts', 'wrong-grammy.ts']);
  expect(found.filter((finding) => !finding.startsWith('wrong-'))).toEqual([]);
  expect(found).toEqual([
    expect.stringMatching(/^wrong-grammy\.ts.*UserFromGetMe/),
    expect.stringMatching(/^wrong-telegraf\.ts.*UserFromGetMe/),
  ]);
}, 60_000);

/** What Telegraf's types have wrong, or from before Telegram has changed it. */
const outdated = ['getUserChatBoosts', 'getStickerSet'];

/** A type parameter takes fields that a type does not name, and keeps literals as they are. */
const declarations = (types: string, skipped: readonly string[]): string => `
import type { ApiMethods } from '${types}';
type Methods = ApiMethods<never>;
type Skipped = ${[`''`, ...skipped.map((name) => `'${name}'`)].join(' | ')};
type Result<Name> = Name extends Exclude<keyof Methods, Skipped> ? ReturnType<Methods[Name]> : unknown;
declare function check<Name extends string>(): <Value extends Result<Name>>(value: Value) => void;
declare function parameters<Name extends keyof Methods>(): (
  names: readonly (keyof NonNullable<Parameters<Methods[Name]>[0]>)[],
) => void;
declare function methods(names: Readonly<Record<keyof Methods, true>>): void;
`;

/** Returns a value as source. Both libraries want to see that a message in a reply has no reply itself. */
const literal = (value: unknown): string =>
  JSON.stringify(value, (name, content) =>
    name === 'reply_to_message' && typeof content === 'object'
      ? { ...content, reply_to_message: 'none' }
      : content,
  ).replaceAll('"reply_to_message":"none"', '"reply_to_message":undefined');

/** Resolves to what the compiler finds wrong in each place, or to why it did not run. */
const compile = (folder: Folder, files: readonly string[]): Promise<readonly string[]> =>
  new Promise((resolve) => {
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--types',
      '',
    ];
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
    const run = [compiler, ...options, ...files.map((name) => folder.file(name))];
    execFile(process.execPath, run, { cwd: folder.path }, (error, stdout) => {
      // The lines that explain a finding further are indented.
      const findings = stdout.split(/\n(?=\S)/).filter((finding) => finding !== '');
      resolve(error && findings.length === 0 ? [error.message] : findings);
    });
  });
