/** The texts of messages: the text itself, and the caption of a file. */
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type CallParameters, flag, structure, text } from '../parameters.js';
import type { FormattedText } from '../text/entity.js';
import { formattedText, textFields } from '../text/formatted-text.js';
import type { Parameter } from './parameter.js';

const MAX_TEXT_LENGTH = 4096;
const MAX_CAPTION_LENGTH = 1024;

/** The content of a text message. Reading throws an ApiError 400 for an empty or too long text, and for bad markup. */
export const messageText: Parameter<object> = {
  names: ['text', 'parse_mode', 'entities'],
  read: (given, account) => {
    if (text(given, 'text') === '') throw ApiError.badRequest('message text is empty');
    const parsed = formatted(given, account, 'text', 'entities');
    if (parsed.text === '') throw ApiError.badRequest('text must be non-empty');
    if (parsed.text.length > MAX_TEXT_LENGTH) throw ApiError.badRequest('message is too long');
    return textFields(parsed);
  },
};

export const captionNames: readonly string[] = ['caption', 'parse_mode', 'caption_entities'];

/** The caption of a message, as fields of its content: none for an empty one. */
export const caption: Parameter<object> = {
  names: captionNames,
  read: (given, account) => captionOf(given, account),
};

/** The caption of a message, which may stand above a picture. */
export const captionOfPicture: Parameter<object> = {
  ...caption,
  names: [...captionNames, 'show_caption_above_media'],
};

/** Returns the caption among the fields of a call or of an item. @throws ApiError 400 */
export function captionOf(given: CallParameters, account: BotAccount): object {
  if (text(given, 'caption') === '') return {};
  const parsed = formatted(given, account, 'caption', 'caption_entities');
  if (parsed.text.length > MAX_CAPTION_LENGTH) throw ApiError.badRequest('message caption is too long');
  if (parsed.text === '') return {};
  return {
    caption: parsed.text,
    ...(parsed.entities.length > 0 && { caption_entities: parsed.entities }),
    ...(flag(given, 'show_caption_above_media') && { show_caption_above_media: true }),
  };
}

/** Returns a text with the markup that the fields beside it describe. @throws ApiError 400 */
export const formatted = (
  given: CallParameters,
  account: BotAccount,
  name: string,
  entities: string,
  parseMode = 'parse_mode',
): FormattedText =>
  formattedText(
    {
      text: text(given, name),
      parseMode: text(given, parseMode),
      entities: given[entities] === undefined ? undefined : structure(given, entities),
    },
    (id) => account.chats.person(id),
  );
