/** Parses the parameters of a Bot API call from the query string and from a body in any form that Telegram accepts. */
import type { IncomingHttpHeaders } from 'node:http';
import { isObject, parseJson } from '../json.js';
import { ApiError } from './api-response.js';

/**
 * Parameters by name. Values from a form are strings, values from JSON have any type, and an uploaded file is an
 * `UploadedFile`. Like Telegram's server, the functions of this module accept numbers and lists also as text.
 */
export type CallParameters = Readonly<Record<string, unknown>>;

/** A file from a multipart body, without its content. */
interface UploadedFile {
  readonly fileName: string;
  readonly size: number;
}

/** @throws ApiError 400 for a body that cannot be parsed */
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
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const entries: [string, unknown][] = [];
  // The first delimiter has no line break before it.
  let start = body.indexOf(`--${boundary}`) + delimiter.length - 2;
  for (let end = body.indexOf(delimiter, start); end >= 0; end = body.indexOf(delimiter, start)) {
    const entry = parsePart(body.subarray(start, end));
    if (entry) entries.push(entry);
    start = end + delimiter.length;
  }
  return Object.fromEntries(entries);
}

function parsePart(part: Buffer): [string, unknown] | undefined {
  const headEnd = part.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = part.subarray(0, headEnd).toString();
  const content = part.subarray(headEnd + 4);
  const name = /;\s*name="([^"]*)"/i.exec(head)?.[1];
  if (name === undefined) return undefined;
  const fileName = /;\s*filename="([^"]*)"/i.exec(head)?.[1];
  if (fileName === undefined) return [name, content.toString()];
  const file: UploadedFile = { fileName, size: content.length };
  return [name, file];
}

/** A parameter as text, or an empty text if it is missing. */
export function text(parameters: CallParameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A parameter as a whole number within bounds: `fallback` if it is missing, 0 if it is not a number. */
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

/** A list or object, given as such or as JSON text; undefined if it is missing or not JSON. */
export function structure(parameters: CallParameters, name: string): unknown {
  const value = parameters[name];
  return typeof value === 'string' ? parseJson(value) : value;
}
