/** Methods that send a message without a file: texts, places, contacts and dice. */
import { randomInt } from 'node:crypto';
import { ApiError } from '../api-response.js';
import { text } from '../parameters.js';
import { location, place } from './location.js';
import { acknowledged, type Method, type Methods, method } from './method.js';
import {
  integer,
  namesOf,
  optionalText,
  type Parameter,
  readAll,
  requiredText,
  type Schema,
  type Values,
  writableChat,
} from './parameter.js';
import { post, sending } from './posting.js';
import { messageText } from './texts.js';

/** Creates a method that sends the content that `content` makes of the parameters. */
const sends = <S extends Schema>(schema: S, content: (values: Values<S>) => object): Method =>
  method({ own: all(schema), ...sending }, ({ own, ...to }, call) => post(call, to, content(own)));

/** Joins parameters to one. */
const all = <S extends Schema>(schema: S): Parameter<Values<S>> => ({
  names: namesOf(schema),
  read: readAll(schema),
});

/** The highest value of each kind of dice. */
export const diceSides: ReadonlyMap<string, number> = new Map([
  ['🎲', 6],
  ['🎯', 6],
  ['🎳', 6],
  ['🏀', 5],
  ['⚽', 5],
  ['🎰', 64],
]);

/** A die that a bot throws; the server decides on its value. */
const dice: Parameter<object> = {
  names: ['emoji'],
  read: (given) => {
    const emoji = (text(given, 'emoji') || '🎲').replace('\uFE0F', '');
    const sides = diceSides.get(emoji);
    if (sides === undefined) throw ApiError.badRequest('DICE_EMOJI_INVALID');
    return { emoji, value: randomInt(1, sides + 1) };
  },
};

const chatActions = [
  'cancel',
  'typing',
  'record_video',
  'upload_video',
  'record_audio',
  'record_voice',
  'upload_audio',
  'upload_voice',
  'upload_photo',
  'upload_document',
  'choose_sticker',
  'pick_up_location',
  'find_location',
  'record_video_note',
  'upload_video_note',
];

export const sendMethods: Methods = {
  sendMessage: method({ content: messageText, ...sending }, ({ content, ...to }, call) =>
    post(call, to, content),
  ),
  sendMessageDraft: acknowledged({ chat: writableChat(), draft: integer('draft_id') }),
  sendLocation: sends({ location }, (content) => content),
  sendVenue: sends(
    {
      location: place,
      title: requiredText('title'),
      address: requiredText('address'),
      foursquare_id: optionalText('foursquare_id'),
      foursquare_type: optionalText('foursquare_type'),
      google_place_id: optionalText('google_place_id'),
      google_place_type: optionalText('google_place_type'),
    },
    (venue) => ({ venue, location: venue.location }),
  ),
  sendContact: sends(
    {
      phone_number: requiredText('phone_number', 'parameter "phone_number" is required'),
      first_name: requiredText('first_name', 'parameter "first_name" is required'),
      last_name: optionalText('last_name'),
      vcard: optionalText('vcard'),
    },
    (contact) => ({ contact }),
  ),
  sendDice: sends({ dice }, ({ dice: thrown }) => ({ dice: thrown })),
  sendChatAction: method(
    {
      action: requiredText('action', 'wrong parameter action in request'),
      chat: writableChat(),
    },
    ({ action, chat }, { account, nowMs }) => {
      if (!chatActions.includes(action.toLowerCase()))
        throw ApiError.badRequest('wrong parameter action in request');
      account.chats.details(chat).action = { name: action.toLowerCase(), atMs: nowMs };
      return true;
    },
  ),
};
