/** Makes the content of a message from the parameters of the call that sends or edits the message. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { isUpload } from '../files.js';
import { textContent } from '../message.js';
import { type CallParameters, flag, integer, structure, text } from '../parameters.js';

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

export interface FileContent {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size?: number | undefined;
  /** The name, which only some kinds of files have. */
  readonly fileName?: string;
}

/**
 * Returns a file that was uploaded, or is given by its id or URL.
 *
 * @throws ApiError 400 if there is none
 */
export function file(
  account: BotAccount,
  parameters: CallParameters,
  field: string,
  kind = field,
): FileContent {
  const given = parameters[field];
  if (isUpload(given)) {
    const id = account.files.add(kind, given);
    return { file_id: id, file_unique_id: id, file_size: given.size, fileName: given.fileName };
  }
  const id = text(parameters, field);
  if (id === '') throw ApiError.badRequest(`there is no ${field} in the request`);
  const attached = /^attach:\/\/(.+)$/.exec(id)?.[1];
  if (attached !== undefined) return file(account, parameters, attached, kind);
  account.files.learn(id);
  return { file_id: id, file_unique_id: id, file_size: account.files.find(id)?.size };
}

const picture = { width: 640, height: 480 };

/** The fields of a file that each kind of media has beside those of all files. */
const mediaFields: ReadonlyMap<string, object> = new Map<string, object>([
  ['animation', { ...picture, duration: 1 }],
  ['audio', { duration: 1 }],
  ['document', {}],
  ['photo', picture],
  ['sticker', { width: 512, height: 512, type: 'regular', is_animated: false, is_video: false }],
  ['video', { ...picture, duration: 1 }],
  ['video_note', { length: 240, duration: 1 }],
  ['voice', { duration: 1 }],
]);

const namedKinds: readonly string[] = ['animation', 'audio', 'document', 'video'];

/** Returns the content of a message that shows a file. A photo is a list of sizes, here of one. */
export function media(kind: string, { fileName, ...shown }: FileContent): object {
  const fields = mediaFields.get(kind);
  if (!fields)
    throw ApiError.badRequest(
      `can't parse InputMedia: type must be one of ${[...mediaFields.keys()].join(', ')}`,
    );
  const named = fileName !== undefined && namedKinds.includes(kind) ? { file_name: fileName } : {};
  const described = { ...shown, ...fields, ...named };
  if (kind === 'photo') return { photo: [described] };
  // An animation is a document, too.
  if (kind === 'animation') return { animation: described, document: { ...shown, ...named } };
  return { [kind]: described };
}

export function location(parameters: CallParameters): object {
  const livePeriod = integer(parameters, 'live_period', 0);
  return {
    latitude: coordinate(parameters, 'latitude', 90),
    longitude: coordinate(parameters, 'longitude', 180),
    ...(livePeriod > 0 && { live_period: livePeriod }),
  };
}

function coordinate(parameters: CallParameters, name: string, max: number): number {
  const given = text(parameters, name);
  if (given.trim() === '') throw ApiError.badRequest(`${name} is empty`);
  const value = Number(given);
  if (!Number.isFinite(value) || Math.abs(value) > max) throw ApiError.badRequest(`wrong ${name} specified`);
  return value;
}

/** Returns a new poll. @throws ApiError 400 for a poll without question or options */
export function poll(account: BotAccount, parameters: CallParameters): object {
  const question = text(parameters, 'question');
  if (question.trim() === '') throw ApiError.badRequest('poll question must be non-empty');
  const options = structure(parameters, 'options');
  if (!Array.isArray(options)) throw ApiError.badRequest("can't parse options: Expected an Array");
  if (options.length === 0) throw ApiError.badRequest('poll must have at least 1 option');
  const type = text(parameters, 'type') === 'quiz' ? 'quiz' : 'regular';
  return {
    id: account.nextId(),
    question,
    options: options.map((option) => ({
      text: isObject(option) ? text(option, 'text') : `${option}`,
      voter_count: 0,
    })),
    total_voter_count: 0,
    is_closed: flag(parameters, 'is_closed'),
    is_anonymous: flag(parameters, 'is_anonymous', true),
    type,
    allows_multiple_answers: flag(parameters, 'allows_multiple_answers'),
    ...(type === 'quiz' && { correct_option_id: integer(parameters, 'correct_option_id', 0) }),
  };
}
