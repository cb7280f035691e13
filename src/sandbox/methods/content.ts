/** Makes the content of a message from the parameters of the call that sends or edits the message. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import { textContent } from '../message.js';
import { type CallParameters, structure, text } from '../parameters.js';

const MAX_TEXT_LENGTH = 4096;

/** Returns a text as content. @throws ApiError 400 for an empty or too long text */
export function messageText(parameters: CallParameters): object {
  const given = text(parameters, 'text');
  if (given.trim() === '') throw ApiError.badRequest('message text is empty');
  if (given.length > MAX_TEXT_LENGTH) throw ApiError.badRequest('message is too long');
  return textContent(given);
}

export function caption(parameters: CallParameters): object {
  const given = text(parameters, 'caption');
  return given === '' ? {} : { caption: given };
}

/** Returns the reply markup of a message if it is an inline keyboard, the only markup that a message shows. */
export function inlineKeyboard(parameters: CallParameters): object {
  const markup = structure(parameters, 'reply_markup');
  return isObject(markup) && markup['inline_keyboard'] ? { reply_markup: markup } : {};
}

/** Returns a file that was uploaded, or is given by its id or URL. @throws ApiError 400 if there is none */
export function file(parameters: CallParameters, field: string): object {
  const given = parameters[field];
  if (isObject(given)) {
    const { fileName, size } = given;
    const id = `sandbox-${field}-${text(given, 'size')}-${text(given, 'fileName')}`;
    return { file_id: id, file_unique_id: id, file_name: fileName, file_size: size };
  }
  const id = text(parameters, field);
  if (id === '') throw ApiError.badRequest(`there is no ${field} in the request`);
  const attached = /^attach:\/\/(.+)$/.exec(id)?.[1];
  if (attached !== undefined) return file(parameters, attached);
  return { file_id: id, file_unique_id: id };
}

export const location = (parameters: CallParameters): object => ({
  latitude: Number(text(parameters, 'latitude')),
  longitude: Number(text(parameters, 'longitude')),
});
