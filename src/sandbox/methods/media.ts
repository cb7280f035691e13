/** Methods that send files: photos, videos, documents, albums. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type CallParameters, flag, integer, structure, text } from '../parameters.js';
import { Upload } from '../upload.js';
import { type Method, type Methods, method } from './method.js';
import type { Parameter } from './parameter.js';
import { integer as wholeNumber } from './parameter.js';
import { post, replying, sending } from './posting.js';
import { caption, captionOf, captionOfPicture } from './texts.js';

export interface FileContent {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size?: number | undefined;
  /** The name, which only some kinds of files have. */
  readonly fileName?: string;
}

/** Returns a file that was uploaded, or is given by its id or URL. @throws ApiError 400 if there is none */
export function fileIn(account: BotAccount, given: CallParameters, field: string, kind = field): FileContent {
  const value = given[field];
  if (value instanceof Upload) {
    const id = account.files.add(kind, value);
    return { file_id: id, file_unique_id: id, file_size: value.size, fileName: value.fileName };
  }
  const id = text(given, field);
  if (id === '') throw ApiError.badRequest(`there is no ${kind} in the request`);
  const attached = /^attach:\/\/(.+)$/.exec(id)?.[1];
  if (attached !== undefined) return fileIn(account, given, attached, kind);
  account.files.learn(id);
  return { file_id: id, file_unique_id: id, file_size: account.files.find(id)?.size };
}

/** What a kind of media shows beside its file, with the values for what a call leaves out. */
interface MediaKind {
  readonly numbers?: Readonly<Record<string, number>>;
  readonly texts?: readonly string[];
  readonly hasName?: true;
  readonly hasSpoiler?: true;
}

const kinds: ReadonlyMap<string, MediaKind> = new Map<string, MediaKind>([
  ['animation', { numbers: { width: 640, height: 480, duration: 1 }, hasName: true, hasSpoiler: true }],
  ['audio', { numbers: { duration: 1 }, texts: ['performer', 'title'], hasName: true }],
  ['document', { hasName: true }],
  ['photo', { numbers: { width: 640, height: 480 }, hasSpoiler: true }],
  ['video', { numbers: { width: 640, height: 480, duration: 1 }, hasName: true, hasSpoiler: true }],
  ['video_note', { numbers: { length: 240, duration: 1 } }],
  ['voice', { numbers: { duration: 1 } }],
]);

/** Returns the content of a message that shows a file. A photo is a list of sizes, here of one. */
function media(kind: string, { fileName, ...file }: FileContent, given: CallParameters): object {
  const { numbers = {}, texts = [], hasName, hasSpoiler } = kinds.get(kind) ?? {};
  const named = hasName && fileName ? { file_name: fileName } : {};
  const described = {
    ...file,
    ...Object.fromEntries(
      Object.entries(numbers).map(([name, likely]) => [name, integer(given, name, likely, 0) || likely]),
    ),
    ...Object.fromEntries(
      texts.flatMap((name) => (text(given, name) === '' ? [] : [[name, text(given, name)]])),
    ),
    ...named,
  };
  const spoiler = hasSpoiler && flag(given, 'has_spoiler') ? { has_media_spoiler: true } : {};
  if (kind === 'photo') return { photo: [described], ...spoiler };
  // An animation is a document, too.
  if (kind === 'animation') return { animation: described, document: { ...file, ...named }, ...spoiler };
  return { [kind]: described, ...spoiler };
}

/** The parameter with the file of a kind, and those that describe it. */
const fileOf = (kind: string): Parameter<object> => {
  const { numbers = {}, texts = [], hasSpoiler } = kinds.get(kind) ?? {};
  return {
    names: [
      kind,
      ...Object.keys(numbers).filter((name) => kind !== 'photo' || !['width', 'height'].includes(name)),
      ...texts,
      ...(hasSpoiler ? ['has_spoiler'] : []),
    ],
    read: (given, account) => media(kind, fileIn(account, given, kind), given),
  };
};

const sendsFile = (kind: string, text = caption): Method =>
  method({ file: fileOf(kind), text, ...sending }, ({ file, text: below, ...to }, call) =>
    post(call, to, { ...file, ...below }),
  );

/** Returns the content of an item of an album, or of an edit. `uploads` has the files that are attached. */
function itemContent(item: unknown, uploads: CallParameters, account: BotAccount): object {
  if (!isObject(item)) throw ApiError.badRequest("can't parse InputMedia: expected an Object");
  const kind = text(item, 'type');
  if (!kinds.has(kind))
    throw ApiError.badRequest(
      "can't parse InputMedia: type must be one of photo, video, animation, audio, document",
    );
  if (text(item, 'media') === '')
    throw ApiError.badRequest('can\'t parse InputMedia: Can\'t find field "media"');
  const file = fileIn(account, { ...uploads, ...item }, 'media', kind);
  return { ...media(kind, file, item), ...captionOf(item, account) };
}

/** The new file of a message, and its caption. */
export const inputMedia: Parameter<object> = {
  names: ['media'],
  read: (given, account) => {
    if (text(given, 'media') === '') throw ApiError.badRequest('input media is not specified');
    const value = structure(given, 'media');
    if (value === undefined) throw ApiError.badRequest("can't parse input media JSON object");
    return itemContent(value, given, account);
  },
};

const MAX_ALBUM = 10;

/** The items of an album. Nothing is sent if one of them is refused. */
const album: Parameter<readonly object[]> = {
  names: ['media'],
  read: (given, account) => {
    const items = structure(given, 'media');
    if (!Array.isArray(items) || items.length === 0)
      throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
    if (items.length > MAX_ALBUM) throw ApiError.badRequest('too many messages to send as an album');
    return items.map((item) => itemContent(item, given, account));
  },
};

/** Files for which people pay. */
const paidMedia: Parameter<readonly object[]> = {
  names: ['media'],
  read: (given, account) => {
    const items = structure(given, 'media');
    if (!Array.isArray(items) || items.length === 0)
      throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
    return items.map((item) => {
      const type = isObject(item) ? text(item, 'type') : '';
      return { type, ...itemContent(item, given, account) };
    });
  },
};

export const mediaMethods: Methods = {
  sendPhoto: sendsFile('photo', captionOfPicture),
  sendAnimation: sendsFile('animation', captionOfPicture),
  sendAudio: sendsFile('audio'),
  sendDocument: sendsFile('document'),
  sendVideo: sendsFile('video', captionOfPicture),
  sendVideoNote: method({ file: fileOf('video_note'), ...sending }, ({ file, ...to }, call) =>
    post(call, to, file),
  ),
  sendVoice: sendsFile('voice'),
  sendMediaGroup: method({ items: album, ...replying }, ({ items, ...to }, call) => {
    const media_group_id = call.account.nextId();
    return items.map((content) => post(call, to, { media_group_id, ...content }));
  }),
  sendPaidMedia: method(
    { stars: wholeNumber('star_count', 0, 0), paid: paidMedia, text: captionOfPicture, ...sending },
    ({ stars, paid, text: below, ...to }, call) => {
      if (stars <= 0) throw ApiError.badRequest('STARS_AMOUNT_INVALID');
      return post(call, to, { paid_media: { star_count: stars, paid_media: paid }, ...below });
    },
  ),
};
