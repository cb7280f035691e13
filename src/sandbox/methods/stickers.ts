/** Methods about stickers. Sets are made of what the bot itself puts into them. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { BotAccount } from '../bot-account.js';
import { type CallParameters, text as rawText, structure } from '../parameters.js';
import { type FileContent, fileIn } from './media.js';
import { type Methods, method } from './method.js';
import { integer, list, optionalText, type Parameter, requiredText, text, userId } from './parameter.js';
import { post, sending } from './posting.js';

/** Returns a file as a sticker. */
export const stickerOf = (
  { fileName: _name, ...file }: FileContent,
  more: object = {},
): Readonly<Record<string, unknown>> => ({
  ...file,
  type: 'regular',
  width: 512,
  height: 512,
  is_animated: false,
  is_video: false,
  ...more,
});

const stickerFile: Parameter<FileContent> = {
  names: ['sticker'],
  read: (given, account) => fileIn(account, given, 'sticker'),
};

/** A sticker for a set. `uploads` has the file that may be attached. */
function inputSticker(value: unknown, uploads: CallParameters, account: BotAccount): object {
  if (!isObject(value)) throw ApiError.badRequest("can't parse InputSticker: InputSticker must be an Object");
  if (rawText(value, 'sticker') === '')
    throw ApiError.badRequest("can't parse InputSticker: sticker not found");
  const [emoji] = Array.isArray(value['emoji_list']) ? value['emoji_list'] : [];
  if (typeof emoji !== 'string')
    throw ApiError.badRequest('can\'t parse InputSticker: Can\'t find field "emoji_list"');
  return stickerOf(fileIn(account, value, 'sticker', 'sticker', uploads), { emoji });
}

const newSticker: Parameter<object> = {
  names: ['sticker'],
  read: (given, account) => inputSticker(structure(given, 'sticker'), given, account),
};

const newStickers: Parameter<readonly object[]> = {
  names: ['stickers'],
  read: (given, account) => {
    const items = structure(given, 'stickers');
    if (!Array.isArray(items)) throw ApiError.badRequest("can't parse stickers JSON object");
    return items.map((item: unknown) => inputSticker(item, given, account));
  },
};

const setName = requiredText('name', 'STICKERSET_INVALID');
const stickerId = requiredText('sticker', 'sticker is not specified');

/** Returns the set with a name. @throws ApiError 400 if the bot has made none */
function setOf(account: BotAccount, name: string) {
  const set = account.stickerSets.get(name);
  if (!set) throw ApiError.badRequest('STICKERSET_INVALID');
  return set;
}

export const stickerMethods: Methods = {
  sendSticker: method(
    {
      sticker: stickerFile,
      emoji: optionalText('emoji'),
      ...sending,
    },
    ({ sticker, emoji, ...to }, call) =>
      post(call, to, { sticker: stickerOf(sticker, emoji === undefined ? {} : { emoji }) }),
  ),
  getStickerSet: method({ name: setName }, ({ name }, { account }) => setOf(account, name)),
  getCustomEmojiStickers: method(
    { ids: list('custom_emoji_ids', 'custom emoji identifiers') },
    ({ ids = [] }) =>
      ids.map((id) => ({
        ...stickerOf({ file_id: `emoji-${id}`, file_unique_id: `emoji-${id}` }),
        type: 'custom_emoji',
        custom_emoji_id: `${id}`,
      })),
  ),
  uploadStickerFile: method(
    {
      user: userId(),
      file: stickerFile,
      format: text('sticker_format'),
    },
    ({ file: { fileName: _name, ...file } }) => file,
  ),
  createNewStickerSet: method(
    {
      user: userId(),
      name: setName,
      title: requiredText('title', 'STICKERSET_TITLE_INVALID'),
      type: text('sticker_type'),
      stickers: newStickers,
    },
    ({ name, title, type, stickers }, { account }) => {
      if (account.stickerSets.has(name)) throw ApiError.badRequest('sticker set name is already occupied');
      account.stickerSets.set(name, { name, title, sticker_type: type || 'regular', stickers });
      return true;
    },
  ),
  addStickerToSet: method(
    { user: userId(), name: setName, sticker: newSticker },
    ({ name, sticker }, { account }) => {
      const set = setOf(account, name);
      account.stickerSets.set(name, { ...set, stickers: [...set.stickers, sticker] });
      return true;
    },
  ),
  deleteStickerFromSet: method({ sticker: stickerId }, ({ sticker }, { account }) => {
    for (const [name, set] of account.stickerSets) {
      const stickers = set.stickers.filter((item) => !('file_id' in item && item.file_id === sticker));
      if (stickers.length < set.stickers.length) {
        account.stickerSets.set(name, { ...set, stickers });
        return true;
      }
    }
    throw ApiError.badRequest('STICKER_INVALID');
  }),
  setStickerPositionInSet: method({ sticker: stickerId, position: integer('position') }, () => true),
  setStickerSetTitle: method(
    { name: setName, title: requiredText('title', 'STICKERSET_TITLE_INVALID') },
    ({ name, title }, { account }) => {
      account.stickerSets.set(name, { ...setOf(account, name), title });
      return true;
    },
  ),
  deleteStickerSet: method({ name: setName }, ({ name }, { account }) => {
    setOf(account, name);
    return account.stickerSets.delete(name);
  }),
};
