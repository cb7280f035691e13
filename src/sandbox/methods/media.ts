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

/**
 * Returns a file that was uploaded, or is given by its id or URL. `uploads` has the files that may be attached.
 *
 * @throws ApiError 400 if there is none
 */
export function fileIn(
  account: BotAccount,
  given: CallParameters,
  field: string,
  kind = field,
  uploads = given,
): FileContent {
  const id = text(given, field);
  const attached = attachedName(id);
  const upload = attached === undefined ? given[field] : uploads[attached];
  if (upload instanceof Upload) {
    const added = account.files.add(kind, upload);
    return { file_id: added, file_unique_id: added, file_size: upload.size, fileName: upload.fileName };
  }
  if (id === '' || attached !== undefined) throw ApiError.badRequest(`there is no ${kind} in the request`);
  account.files.learn(id);
  return { file_id: id, file_unique_id: id, file_size: account.files.find(id)?.size };
}

const attachedName = (id: string): string | undefined => /^attach:\/\/(.+)$/.exec(id)?.[1];

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
function mediaContent(kind: string, { fileName, ...file }: FileContent, given: CallParameters): object {
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
export const fileOf = (kind: string): Parameter<object> => {
  const { numbers = {}, texts = [], hasSpoiler } = kinds.get(kind) ?? {};
  return {
    names: [
      kind,
      ...Object.keys(numbers).filter((name) => kind !== 'photo' || !['width', 'height'].includes(name)),
      ...texts,
      ...(hasSpoiler ? ['has_spoiler'] : []),
    ],
    read: (given, account) => mediaContent(kind, fileIn(account, given, kind), given),
  };
};

const sendsFile = (kind: string, text = caption): Method =>
  method({ file: fileOf(kind), text, ...sending }, ({ file, text: below, ...to }, call) =>
    post(call, to, { ...file, ...below }),
  );

/** What an album, or an edit, may show. */
const inputKinds: readonly string[] = ['photo', 'video', 'animation', 'audio', 'document'];

const refuseItem = (why: string): ApiError => ApiError.badRequest(`can't parse InputMedia: ${why}`);

/** Returns the content of an item of an album, or of an edit. `uploads` has the files that are attached. */
function itemContent(item: unknown, uploads: CallParameters, account: BotAccount): object {
  if (!isObject(item)) throw refuseItem('expected an Object');
  const kind = text(item, 'type');
  if (!inputKinds.includes(kind)) throw refuseItem(`type "${kind}" is unsupported`);
  const media = text(item, 'media');
  if (media === '') throw refuseItem('Can\'t find field "media"');
  const attached = attachedName(media);
  if (attached !== undefined && !(uploads[attached] instanceof Upload)) throw refuseItem('media not found');
  const file = fileIn(account, item, 'media', kind, uploads);
  return { ...mediaContent(kind, file, item), ...captionOf(item, account) };
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

/** Returns the items that a message or an album is to show. @throws ApiError 400 for none, and for too many */
function mediaItems(given: CallParameters): readonly unknown[] {
  const items = structure(given, 'media');
  if (!Array.isArray(items) || items.length === 0)
    throw ApiError.badRequest('parameter media is required and must be a non-empty JSON array');
  if (items.length > MAX_ALBUM) throw ApiError.badRequest('too many messages to send as an album');
  return items;
}

/** The items of an album. Nothing is sent if one of them is refused. */
const album: Parameter<readonly object[]> = {
  names: ['media'],
  read: (given, account) => {
    const items = mediaItems(given);
    const contents = items.map((item) => itemContent(item, given, account));
    checkMix(items);
    return contents;
  },
};

/** Refuses kinds that do not stand beside each other: only photos and videos do. */
function checkMix(items: readonly unknown[]): void {
  const kinds = new Set(items.map((item) => (isObject(item) ? text(item, 'type') : '')));
  if (kinds.has('animation')) throw refuseItem('type "animation" can\'t be used in sendMediaGroup');
  for (const kind of ['document', 'audio'])
    if (kinds.has(kind) && kinds.size > 1)
      throw ApiError.badRequest(`${kind} can't be mixed with other media types`);
}

const paidKinds: readonly string[] = ['photo', 'video'];

/** Files for which people pay. */
const paidMedia: Parameter<readonly object[]> = {
  names: ['media'],
  read: (given, account) => {
    const items = mediaItems(given);
    return items.map((item) => {
      const type = isObject(item) ? text(item, 'type') : '';
      if (!paidKinds.includes(type)) throw refuseItem(`type "${type}" is unsupported`);
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
