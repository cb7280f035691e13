/** Parses the parameters of a Bot API call from the query string and from a body in any form that Telegram accepts. */
import type { IncomingHttpHeaders } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';
import { parseMultipart } from './multipart.js';

/**
 * Parameters by name. Values from a form are strings, values from JSON have any type, and an uploaded file is an
 * `Upload`. As with Telegram's server, numbers and lists may also be given as text.
 */
export type CallParameters = Readonly<Record<string, unknown>>;

/** Parses the parameters of a call. @throws ApiError 400 for a body that cannot be parsed */
export function parseParameters(query: string, headers: IncomingHttpHeaders, body: Buffer): CallParameters {
  const inBody = parseBody(headers['content-type'] ?? '', body);
  return query === '' ? inBody : merged(inBody, parseForm(query));
}

function parseBody(contentType: string, body: Buffer): CallParameters {
  if (body.length === 0) return {};
  const [type = ''] = contentType.toLowerCase().split(';', 1);
  switch (type.trim()) {
    case 'multipart/form-data':
      return parseMultipart(contentType, body);
    case 'application/json':
      return parseJsonBody(body);
    case 'application/x-www-form-urlencoded':
      return parseForm(body.toString());
    default:
      return {};
  }
}

const parseForm = (form: string): CallParameters => Object.fromEntries(new URLSearchParams(form));

/** Joins parameters. Those of the query come first, but an empty one takes nothing away from the body, as a file is. */
function merged(inBody: CallParameters, inQuery: CallParameters): CallParameters {
  const given = Object.entries(inQuery).filter(
    ([name, value]) => value !== '' || !Object.hasOwn(inBody, name),
  );
  return { ...inBody, ...Object.fromEntries(given) };
}

function parseJsonBody(body: Buffer): CallParameters {
  const value = parseJson(body.toString());
  if (!isObject(value)) throw ApiError.badRequest('expected an Object as the body');
  return value;
}

/** Returns a parameter as text, or an empty text if it is missing. */
export function text(parameters: CallParameters, name: string): string {
  const value = parameters[name];
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns a parameter as a whole number within bounds: `fallback` if it is missing, 0 if it is not a number. */
export function integer(
  parameters: CallParameters,
  name: string,
  fallback: number,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const digits = text(parameters, name);
  if (digits === '') return fallback;
  return Math.min(max, Math.max(min, Number.parseInt(digits, 10) || 0));
}

/** Whether a parameter is `true`, `yes` or `1`; `fallback` if it is missing. */
export function flag(parameters: CallParameters, name: string, fallback = false): boolean {
  const given = text(parameters, name).toLowerCase();
  return given === '' ? fallback : ['true', 'yes', '1'].includes(given);
}

/** Returns a list or object, given as such or as JSON text; undefined if it is missing or not JSON. */
export function structure(parameters: CallParameters, name: string): unknown {
  const value = parameters[name];
  return typeof value === 'string' ? parseJson(value) : value;
}
