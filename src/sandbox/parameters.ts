/** Parses the parameters of a Bot API call from the query string and from a body in any form that Telegram accepts. */
import type { IncomingHttpHeaders } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';

/**
 * Parameters by name. Values from a form are strings, values from JSON have any type, and an uploaded file is an
 * object with `fileName` and `size`. As with Telegram's server, numbers and lists may also be given as text.
 */
export type CallParameters = Readonly<Record<string, unknown>>;

/** Parses the parameters of a call. @throws ApiError 400 for a body that cannot be parsed */
export function parseParameters(query: string, headers: IncomingHttpHeaders, body: Buffer): CallParameters {
  const inQuery = Object.fromEntries(new URLSearchParams(query));
  if (body.length === 0) return inQuery;
  return { ...parseBody(headers['content-type'] ?? '', body), ...inQuery };
}

function parseBody(contentType: string, body: Buffer): CallParameters {
  const [type = ''] = contentType.toLowerCase().split(';', 1);
  switch (type.trim()) {
    case 'application/json':
      return parseJsonBody(body);
    case 'application/x-www-form-urlencoded':
      return Object.fromEntries(new URLSearchParams(body.toString()));
    case 'multipart/form-data':
      return parseMultipart(contentType, body);
    default:
      return {};
  }
}

function parseJsonBody(body: Buffer): CallParameters {
  const value = parseJson(body.toString());
  if (!isObject(value)) throw ApiError.badRequest('expected an Object as the body');
  return value;
}

function parseMultipart(contentType: string, body: Buffer): CallParameters {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (!boundary) throw ApiError.badRequest('boundary of the multipart body not found');
  // In Latin-1, each byte is one character, so that the contents of files do not matter.
  const parts = `\r\n${body.toString('latin1')}`.split(`\r\n--${boundary}`);
  return Object.fromEntries(parts.flatMap(parsePart));
}

/** Returns the name and value of a part, or nothing for the text before the first and after the last part. */
function parsePart(part: string): [string, unknown][] {
  const [, latin1Head = '', content = ''] = /^(.*?)\r\n\r\n(.*)$/s.exec(part) ?? [];
  const head = asUtf8(latin1Head);
  const name = /;\s*name="([^"]*)"/i.exec(head)?.[1];
  if (name === undefined) return [];
  const fileName = /;\s*filename="([^"]*)"/i.exec(head)?.[1];
  return [[name, fileName === undefined ? asUtf8(content) : { fileName, size: content.length }]];
}

const asUtf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString();

/** Returns a parameter as text, or an empty text if it is missing. */
export function text(parameters: CallParameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) return '';
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

/** Whether a parameter is `true`, `yes` or `1`. */
export function flag(parameters: CallParameters, name: string): boolean {
  return ['true', 'yes', '1'].includes(text(parameters, name).toLowerCase());
}

/** Returns a list or object, given as such or as JSON text; undefined if it is missing or not JSON. */
export function structure(parameters: CallParameters, name: string): unknown {
  const value = parameters[name];
  return typeof value === 'string' ? parseJson(value) : value;
}
