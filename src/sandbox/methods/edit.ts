/** Methods that edit or delete messages. */
import { ApiError, success } from '../api-response.js';
import { chat, type Message, unixSeconds } from '../message.js';
import { type CallParameters, integer, text } from '../parameters.js';
import { caption, inlineKeyboard, messageText } from './content.js';
import { chatId, done, type Method, type Methods } from './method.js';

const edits =
  (change: (parameters: CallParameters) => object): Method =>
  ({ account, parameters }) => {
    if (text(parameters, 'inline_message_id') !== '') return done();
    const target = chat(chatId(parameters));
    const id = integer(parameters, 'message_id', 0);
    if (id <= 0) throw ApiError.badRequest('message identifier is not specified');
    const known = account.findMessage(target.id, id);
    // Raw updates may show messages that the sandbox does not know.
    const placeholder: Message = { message_id: id, from: account.user, chat: target, date: unixSeconds() };
    const { reply_markup: _markup, ...before } = known ?? placeholder;
    const after: Message = { ...before, ...change(parameters), ...inlineKeyboard(parameters) };
    if (known && sameContent(known, after))
      throw ApiError.badRequest(
        'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      );
    const edited = { ...after, edit_date: unixSeconds() };
    account.storeMessage(edited);
    return success(edited);
  };

function sameContent(one: Message, other: Message): boolean {
  const content = ({ edit_date: _date, ...rest }: Message) => JSON.stringify(Object.entries(rest).sort());
  return content(one) === content(other);
}

export const editMethods: Methods = {
  editMessageText: edits(messageText),
  editMessageCaption: edits(caption),
  editMessageReplyMarkup: edits(() => ({})),
  deleteMessage: ({ account, parameters }) => {
    account.deleteMessage(chatId(parameters), integer(parameters, 'message_id', 0));
    return done();
  },
};
