/** Methods that edit or delete messages. */
import { ApiError, success } from '../api-response.js';
import { type Message, unixSeconds } from '../message.js';
import { type CallParameters, integer, structure, text } from '../parameters.js';
import { caption, inlineKeyboard, messageText } from './content.js';
import { chatId, done, type Method, type Methods } from './method.js';

/** Creates a method that replaces some fields of a message of the bot by what `change` makes from the parameters. */
const edits =
  (replaced: readonly string[], change: (parameters: CallParameters) => object): Method =>
  ({ account, parameters }) => {
    if (text(parameters, 'inline_message_id') !== '') return done();
    const target = account.chats.chat(chatId(parameters));
    const id = integer(parameters, 'message_id', 0);
    if (id <= 0) throw ApiError.badRequest('message identifier is not specified');
    const known = account.messages.find(target.id, id);
    if (!known && !account.messages.mayHaveBeen(id)) throw ApiError.badRequest('message to edit not found');
    if (known && known.from?.id !== account.id) throw ApiError.badRequest("message can't be edited");
    const before: Message = known ?? {
      message_id: id,
      from: account.user,
      chat: target,
      date: unixSeconds(),
    };
    const { message_id, from, chat, date } = before;
    const kept = Object.entries(before).filter(
      ([name]) => name !== 'reply_markup' && !replaced.includes(name),
    );
    const after: Message = {
      message_id,
      from,
      chat,
      date,
      ...Object.fromEntries(kept),
      ...change(parameters),
      ...inlineKeyboard(parameters),
    };
    if (known && sameContent(known, after))
      throw ApiError.badRequest(
        'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      );
    const edited = { ...after, edit_date: unixSeconds() };
    account.messages.store(edited);
    return success(edited);
  };

function sameContent(one: Message, other: Message): boolean {
  const content = ({ edit_date: _date, ...rest }: Message) => JSON.stringify(Object.entries(rest).sort());
  return content(one) === content(other);
}

const CAPTION = ['caption', 'caption_entities'];

export const editMethods: Methods = {
  editMessageText: edits(['text', 'entities'], messageText),
  editMessageCaption: edits(CAPTION, caption),
  editMessageReplyMarkup: edits([], () => ({})),
  deleteMessage: ({ account, parameters }) => {
    const chat = chatId(parameters);
    const id = integer(parameters, 'message_id', 0);
    if (id <= 0) throw ApiError.badRequest('message identifier is not specified');
    if (!account.messages.delete(chat, id) && !account.messages.mayHaveBeen(id))
      throw ApiError.badRequest('message to delete not found');
    return done();
  },
  deleteMessages: ({ account, parameters }) => {
    const chat = chatId(parameters);
    const ids = structure(parameters, 'message_ids');
    if (!Array.isArray(ids) || ids.length === 0)
      throw ApiError.badRequest('message identifiers are not specified');
    // Those that are not there are skipped.
    for (const id of ids) account.messages.delete(chat, Number(id));
    return done();
  },
};
