/**
 * The Bot API's methods, as far as a bot's life depends on them: those about delivery in full, those that send with
 * a likely answer, and those that only say yes.
 */
import { type Answer, ApiError, success } from './api-response.js';
import type { BotAccount } from './bot-account.js';
import { chat, type Message, textContent, unixSeconds } from './message.js';
import { type CallParameters, flag, integer, isRecord, structure, text } from './parameters.js';

interface MethodCall {
  readonly account: BotAccount;
  readonly parameters: CallParameters;
  /** The clock's time. */
  readonly now: number;
  /** Told of each message that the bot puts into a chat. */
  readonly sent: (message: Message) => void;
}

/** Answers a call; throws an ApiError to refuse it. */
type Method = (call: MethodCall) => Answer;

const LONGEST_TEXT = 4096;

/** The method of this name, whatever its case; undefined where there is none. `getUpdates` is not among them. */
export const findMethod = (name: string): Method | undefined => methods.get(name.toLowerCase());

const yes = (description?: string): Answer => success(true, description);

/** `chat_id`, a number or its text. A channel's @name stands for a supergroup of the sandbox's making. */
function chatId(parameters: CallParameters, name = 'chat_id'): number {
  const given = text(parameters, name);
  if (given === '') throw ApiError.badRequest(`${name} is empty`);
  if (/^-?\d{1,15}$/.test(given) && Number(given) !== 0) return Number(given);
  if (/^@\w{4,}$/.test(given)) return channelId(given);
  throw ApiError.badRequest('chat not found');
}

function channelId(name: string): number {
  let hash = 0;
  for (const character of name.toLowerCase())
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return -1_000_000_000_000 - hash;
}

function requiredText(parameters: CallParameters, name: string): string {
  const given = text(parameters, name);
  if (given.trim() === '') throw ApiError.badRequest('message text is empty');
  if (given.length > LONGEST_TEXT) throw ApiError.badRequest('message is too long');
  return given;
}

/** Puts a message into a chat in the bot's name. */
function post({ account, parameters, sent }: MethodCall, content: object): Message {
  const target = chat(chatId(parameters));
  const message: Message = {
    message_id: account.nextMessageId(),
    from: account.user,
    chat: target,
    date: unixSeconds(),
    ...repliedTo(account, target.id, parameters),
    ...content,
    ...inlineKeyboard(parameters),
  };
  account.remember(message);
  sent(message);
  return message;
}

function repliedTo(account: BotAccount, chatId: number, parameters: CallParameters): object {
  const replyParameters = structure(parameters, 'reply_parameters');
  const id = isRecord(replyParameters)
    ? integer(replyParameters, 'message_id', 0)
    : integer(parameters, 'reply_to_message_id', 0);
  if (id <= 0) return {};
  const original = account.recall(chatId, id) ?? {
    message_id: id,
    chat: chat(chatId),
    date: unixSeconds(),
  };
  return { reply_to_message: original };
}

/** Only an inline keyboard is shown in the message itself. */
function inlineKeyboard(parameters: CallParameters): object {
  const markup = structure(parameters, 'reply_markup');
  return isRecord(markup) && markup['inline_keyboard'] ? { reply_markup: markup } : {};
}

/** What a message shows of a file: uploaded, by its id, or by URL. */
function file(parameters: CallParameters, field: string): object {
  const given = parameters[field];
  if (isRecord(given)) {
    const { fileName, size } = given;
    const id = `sandbox-${field}-${text(given, 'size')}-${text(given, 'fileName')}`;
    return {
      file_id: id,
      file_unique_id: id,
      file_name: fileName,
      file_size: size,
    };
  }
  const id = text(parameters, field);
  if (id === '') throw ApiError.badRequest(`there is no ${field} in the request`);
  const attached = /^attach:\/\/(.+)$/.exec(id)?.[1];
  if (attached !== undefined) return file(parameters, attached);
  return { file_id: id, file_unique_id: id };
}

const caption = (parameters: CallParameters): object => {
  const given = text(parameters, 'caption');
  return given === '' ? {} : { caption: given };
};

/** A method that sends the file in the parameter of its own name. */
const sendsFile =
  (field: string, details: object = {}): Method =>
  (call) =>
    success(
      post(call, {
        [field]: { ...file(call.parameters, field), ...details },
        ...caption(call.parameters),
      }),
    );

const picture = { width: 640, height: 480 };

const sendMediaGroup: Method = (call) => {
  const media = structure(call.parameters, 'media');
  if (!Array.isArray(media) || media.length === 0)
    throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
  const group = `${call.account.nextMessageId()}`;
  return success(
    media.filter(isRecord).map((item) => {
      const type = text(item, 'type');
      const shown = file({ ...call.parameters, ...item }, 'media');
      return post(call, {
        media_group_id: group,
        [type]: type === 'photo' ? [{ ...shown, ...picture }] : shown,
        ...caption(item),
      });
    }),
  );
};

/** The message that an edit is about, or a stand-in: raw updates may have shown the bot messages nobody sent. */
function editedMessage({ account, parameters }: MethodCall): Message {
  const target = chat(chatId(parameters));
  const id = integer(parameters, 'message_id', 0);
  if (id <= 0) throw ApiError.badRequest('message identifier is not specified');
  return (
    account.recall(target.id, id) ?? {
      message_id: id,
      from: account.user,
      chat: target,
      date: unixSeconds(),
    }
  );
}

const edits =
  (change: (parameters: CallParameters) => object): Method =>
  (call) => {
    const { account, parameters } = call;
    if (text(parameters, 'inline_message_id') !== '') return yes();
    const { reply_markup: _markup, ...before } = editedMessage(call);
    const after: Message = {
      ...before,
      ...change(parameters),
      ...inlineKeyboard(parameters),
    };
    const known = account.recall(before.chat.id, before.message_id);
    if (known && sameContent(known, after))
      throw ApiError.badRequest(
        'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      );
    const edited = { ...after, edit_date: unixSeconds() };
    account.remember(edited);
    return success(edited);
  };

function sameContent(one: Message, other: Message): boolean {
  const content = ({ edit_date: _date, ...rest }: Message) => JSON.stringify(Object.entries(rest).sort());
  return content(one) === content(other);
}

const NOTHING: Partial<Message> = { text: '' };

/** The message that a forward or copy takes, or a stand-in. */
function sourceMessage({ account, parameters }: MethodCall): object {
  const from = chatId(parameters, 'from_chat_id');
  const {
    message_id: _id,
    from: _from,
    chat: _chat,
    date: _date,
    reply_to_message: _reply,
    reply_markup: _markup,
    edit_date: _edited,
    ...content
  } = account.recall(from, integer(parameters, 'message_id', 0)) ?? NOTHING;
  return content;
}

const forwardMessage: Method = (call) =>
  success(
    post(call, {
      ...sourceMessage(call),
      forward_origin: {
        type: 'chat',
        date: unixSeconds(),
        sender_chat: chat(chatId(call.parameters, 'from_chat_id')),
      },
    }),
  );

const copyMessage: Method = (call) => {
  const { message_id } = post(call, {
    ...sourceMessage(call),
    ...caption(call.parameters),
  });
  return success({ message_id });
};

const deleteMessage: Method = ({ account, parameters }) => {
  account.forget(chatId(parameters), integer(parameters, 'message_id', 0));
  return yes();
};

const setWebhook: Method = ({ account, parameters, now }) => {
  const url = text(parameters, 'url');
  if (url === '') return clearWebhook(account, parameters);
  if (now < account.nextSetWebhookAt) throw ApiError.tooManyRequests(1);
  account.nextSetWebhookAt = now + 1_000;
  if (!URL.canParse(url)) throw ApiError.badRequest('invalid webhook URL specified');
  if (!url.startsWith('https:'))
    throw ApiError.badRequest('bad webhook: An HTTPS URL must be provided for webhook');
  if (flag(parameters, 'drop_pending_updates')) account.queue.clear();
  account.listenTo(parameters);
  if (account.webhookUrl === url) return yes('Webhook is already set');
  account.webhookUrl = url;
  account.getUpdates.endForWebhook();
  return yes('Webhook was set');
};

function clearWebhook(account: BotAccount, parameters: CallParameters): Answer {
  if (flag(parameters, 'drop_pending_updates')) account.queue.clear();
  if (account.webhookUrl === '') return yes('Webhook is already deleted');
  account.webhookUrl = '';
  return yes('Webhook was deleted');
}

const getWebhookInfo: Method = ({ account }) =>
  success({
    url: account.webhookUrl,
    has_custom_certificate: false,
    pending_update_count: account.queue.size,
    max_connections: account.webhookUrl ? 40 : undefined,
    allowed_updates: account.allowedUpdates,
  });

const getMe: Method = ({ account }) =>
  success({
    ...account.user,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: true,
    can_connect_to_business: false,
    has_main_web_app: false,
  });

const member = (user: object): object => ({ user, status: 'member' });

/** Methods that are recorded and change nothing that an update or another answer shows. */
const acknowledged = [
  'answerCallbackQuery',
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
  'deleteMessages',
  'deleteMyCommands',
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

const table: Readonly<Record<string, Method>> = {
  ...Object.fromEntries(acknowledged.map((name) => [name, () => yes()])),

  getMe,
  setWebhook,
  deleteWebhook: ({ account, parameters }) => clearWebhook(account, parameters),
  getWebhookInfo,
  logOut: ({ account }) => {
    account.logOut();
    return yes();
  },

  sendMessage: (call) => success(post(call, textContent(requiredText(call.parameters, 'text')))),
  sendPhoto: (call) =>
    success(
      post(call, {
        photo: [{ ...file(call.parameters, 'photo'), ...picture }],
        ...caption(call.parameters),
      }),
    ),
  sendAnimation: sendsFile('animation', { ...picture, duration: 1 }),
  sendAudio: sendsFile('audio', { duration: 1 }),
  sendDocument: sendsFile('document'),
  sendSticker: sendsFile('sticker', { ...picture, type: 'regular' }),
  sendVideo: sendsFile('video', { ...picture, duration: 1 }),
  sendVideoNote: sendsFile('video_note', { length: 240, duration: 1 }),
  sendVoice: sendsFile('voice', { duration: 1 }),
  sendMediaGroup,
  sendLocation: (call) => success(post(call, { location: location(call.parameters) })),
  sendVenue: (call) =>
    success(
      post(call, {
        venue: {
          location: location(call.parameters),
          title: text(call.parameters, 'title'),
          address: text(call.parameters, 'address'),
        },
      }),
    ),
  sendContact: (call) =>
    success(
      post(call, {
        contact: {
          phone_number: text(call.parameters, 'phone_number'),
          first_name: text(call.parameters, 'first_name'),
        },
      }),
    ),
  sendPoll: (call) =>
    success(
      post(call, {
        poll: {
          id: `${call.account.nextMessageId()}`,
          question: text(call.parameters, 'question'),
          options: structure(call.parameters, 'options'),
        },
      }),
    ),
  sendDice: (call) =>
    success(
      post(call, {
        dice: { emoji: text(call.parameters, 'emoji') || '🎲', value: 1 },
      }),
    ),

  forwardMessage,
  copyMessage,
  editMessageText: edits((parameters) => textContent(requiredText(parameters, 'text'))),
  editMessageCaption: edits(caption),
  editMessageReplyMarkup: edits(() => ({})),
  deleteMessage,

  setMyCommands: ({ account, parameters }) => {
    account.commands = structure(parameters, 'commands') ?? [];
    return yes();
  },
  getMyCommands: ({ account }) => success(account.commands),

  getChat: ({ parameters }) => success(chat(chatId(parameters))),
  getChatMember: ({ parameters }) =>
    success(
      member({
        id: integer(parameters, 'user_id', 0),
        is_bot: false,
        first_name: `Person ${integer(parameters, 'user_id', 0)}`,
      }),
    ),
  getChatMemberCount: () => success(2),
  getChatAdministrators: () => success([]),
  getUserProfilePhotos: () => success({ total_count: 0, photos: [] }),
  getFile: ({ parameters }) => {
    const id = text(parameters, 'file_id');
    if (id === '') throw ApiError.badRequest('invalid file_id');
    return success({ file_id: id, file_unique_id: id });
  },
};

const location = (parameters: CallParameters): object => ({
  latitude: Number(text(parameters, 'latitude')),
  longitude: Number(text(parameters, 'longitude')),
});

const methods: ReadonlyMap<string, Method> = new Map(
  Object.entries(table).map(([name, method]) => [name.toLowerCase(), method]),
);
