/** Places that a bot sends, and live ones that it moves. */
import { isObject } from '../../json.js';
import { ApiError } from '../api-response.js';
import type { Message } from '../message.js';
import { type CallParameters, integer, text } from '../parameters.js';
import { editing, editMessage } from './editing.js';
import { type Methods, method } from './method.js';
import { objectIn, type Parameter } from './parameter.js';

type Place = Readonly<Record<string, number>>;

/** A place. Reading throws an ApiError 400 without numbers that are coordinates. */
export const place: Parameter<Place> = {
  names: ['latitude', 'longitude'],
  read: (given) => ({
    latitude: coordinate(given, 'latitude', 90),
    longitude: coordinate(given, 'longitude', 180),
  }),
};

/** A place that may be live: the bot can move it for a while. */
export const location: Parameter<Place> = {
  names: [...place.names, 'horizontal_accuracy', 'live_period', 'heading', 'proximity_alert_radius'],
  read: (given, account) => ({
    ...place.read(given, account),
    ...positive(given, 'horizontal_accuracy'),
    ...positive(given, 'live_period'),
    ...positive(given, 'heading'),
    ...positive(given, 'proximity_alert_radius'),
  }),
};

function coordinate(given: CallParameters, name: string, max: number): number {
  const digits = text(given, name);
  if (digits.trim() === '') throw ApiError.badRequest(`${name} is empty`);
  const value = Number(digits);
  if (!Number.isFinite(value) || Math.abs(value) > max) throw ApiError.badRequest(`wrong ${name} specified`);
  return value;
}

const positive = (given: CallParameters, name: string): Readonly<Record<string, number>> => {
  const value = integer(given, name, 0);
  return value > 0 ? { [name]: value } : {};
};

/** Refuses a message without a live location. */
function checkLive({ location: place }: Message): void {
  if (!(isObject(place) && 'live_period' in place))
    throw ApiError.badRequest('there is no live location in the message to edit');
}

export const locationMethods: Methods = {
  editMessageLiveLocation: method({ moved: location, ...editing }, ({ moved, ...target }, call) =>
    editMessage(call, target, {
      check: checkLive,
      change: (before) => ({ ...before, location: { ...objectIn(before['location']), ...moved } }),
    }),
  ),
  stopMessageLiveLocation: method(editing, (target, call) =>
    editMessage(call, target, {
      check: checkLive,
      change: (before) => {
        const { live_period: _period, heading: _heading, ...stopped } = objectIn(before['location']);
        return { ...before, location: stopped };
      },
    }),
  ),
};
