/** Buttons that people press: those below a message, and those that the bot puts in place of a person's keyboard. */
import { isObject } from '../json.js';
import type { BotAccount } from './bot-account.js';
import { type Message, unixSeconds } from './message.js';
import { startPayment } from './payment.js';

export interface Press {
  /** The chat's id. Default 1. */
  readonly chat?: number | undefined;
  /** The text on the button, or its callback data. */
  readonly button: string;
  /** The id of the message. Default: the newest one with such a button. */
  readonly message?: number | undefined;
  /** The id of the person who presses. Default: the chat's id. */
  readonly fromId?: number | undefined;
}

type Button = Readonly<Record<string, unknown>>;

/** A button that can be pressed. */
export interface FoundButton {
  readonly button: Button;
  /** The message above it as it is now; undefined for a button of the keyboard below the chat. */
  readonly message: Message | undefined;
}

/** What a press leads to: an update that was queued, if the bot gets such updates, or a text that the person then says. */
export type Pressed = { readonly updateId: number | undefined } | { readonly says: string };

/** There is no button with a text, or not yet. */
export class NoSuchButton extends RangeError {}

/** Presses a button. @throws RangeError that says which buttons there are, or why the bot hears nothing of the press */
export function press(account: BotAccount, pressed: Press): Pressed {
  return pressFound(account, pressed, findButton(account, pressed));
}

/** Presses a button that was found just now. @throws RangeError that says why the bot hears nothing of the press */
export function pressFound(
  account: BotAccount,
  { chat = 1, fromId = chat }: Pick<Press, 'chat' | 'fromId'>,
  { button, message }: FoundButton,
): Pressed {
  const from = Math.abs(fromId);
  if (!message) return pressBelowChat(account, chat, from, button);
  const inlineId = account.inlineMessages.idOf({ chat, messageId: message.message_id });
  const query = {
    id: account.nextId(),
    from: account.chats.person(from),
    // The bot knows a message that was sent through its inline mode only by an id.
    ...(inlineId === undefined ? { message } : { inline_message_id: inlineId }),
    chat_instance: `${chat}`,
  };
  if (typeof button['callback_data'] === 'string')
    return queued(account, { callback_query: { ...query, data: button['callback_data'] } });
  if (button['callback_game'] !== undefined && isObject(message['game']))
    return queued(account, { callback_query: { ...query, game_short_name: message['game']['title'] } });
  const invoice = account.invoices.find(chat, message.message_id);
  if (button['pay'] !== undefined && invoice)
    return {
      updateId: startPayment(account, { chat, from, invoice, totalAmount: invoice.totalAmount }),
    };
  const kind = Object.keys(button).find((field) => field !== 'text');
  throw new RangeError(`Telegram does not tell a bot of a press on a button with ${kind}`);
}

function queued(account: BotAccount, update: object): Pressed {
  const [updateId] = account.add([{ ...update }]);
  return { updateId };
}

/** A button below the chat says its text, or sends what it asks for. */
function pressBelowChat(account: BotAccount, chat: number, from: number, button: Button): Pressed {
  const details = account.chats.details(chat);
  if (isObject(details.replyMarkup) && details.replyMarkup['one_time_keyboard'] === true)
    delete details.replyMarkup;
  const person = account.chats.person(from);
  const content =
    button['request_contact'] === true
      ? { contact: { phone_number: '15550100', first_name: person.first_name, user_id: from } }
      : button['request_location'] === true
        ? { location: { latitude: 52.37, longitude: 4.89 } }
        : undefined;
  if (!content) return { says: `${button['text']}` };
  const message = {
    message_id: account.messages.nextId(),
    from: person,
    chat: account.chats.chat(chat),
    date: unixSeconds(),
    ...content,
  };
  return queued(account, { message });
}

/** Finds the button that is meant. @throws NoSuchButton that says which buttons there are */
export function findButton(
  account: BotAccount,
  { chat = 1, button: name, message: id }: Omit<Press, 'fromId'>,
): FoundButton {
  const messages = account.messages
    .in(chat)
    .filter((message) => id === undefined || message.message_id === id)
    .reverse();
  const inline = messages.flatMap((message) =>
    buttonsOf(message['reply_markup'], 'inline_keyboard')
      .concat(payButton(account, message))
      .map((button) => ({ button, message })),
  );
  const below =
    id === undefined
      ? buttonsOf(account.chats.details(chat).replyMarkup, 'keyboard').map((button) => ({
          button,
          message: undefined,
        }))
      : [];
  const all: readonly FoundButton[] = [...inline, ...below];
  const found = all.find(({ button }) => button['text'] === name || button['callback_data'] === name);
  if (found) return found;
  const texts = all.map(({ button }) => button['text']);
  const where = id === undefined ? `chat ${chat}` : `message ${id} of chat ${chat}`;
  throw new NoSuchButton(
    `there is no button ${JSON.stringify(name)} in ${where}; ${texts.length > 0 ? `there is ${texts.join(', ')}` : 'there is none at all'}`,
  );
}

/** Returns the buttons of a keyboard, row by row. */
function buttonsOf(markup: unknown, field: 'inline_keyboard' | 'keyboard'): readonly Button[] {
  const rows = isObject(markup) ? markup[field] : undefined;
  if (!Array.isArray(rows)) return [];
  return rows.flat().map((button: unknown) => (isObject(button) ? button : { text: button }));
}

/** An invoice without a keyboard of its own has a button to pay. */
const payButton = (account: BotAccount, message: Message): readonly Button[] =>
  account.invoices.find(message.chat.id, message.message_id) && !message['reply_markup']
    ? [{ text: 'Pay', pay: true }]
    : [];
