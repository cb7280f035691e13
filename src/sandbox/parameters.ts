/**
 * The parameters of a Bot API call, from the query string and a body in any of the three forms Telegram takes.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-response.js';

/**
 * By name. A form gives texts; JSON gives what it holds; an uploaded file is an `UploadedFile`. Read them through the
 * functions below, which take a number or list as such or as its text, like the server.
 */
export type CallParameters = Readonly<Record<string, unknown>>;

/** A file that came with a multipart body. Its content is not kept. */
interface UploadedFile {
  readonly fileName: string;
  readonly size: number;
}

/** @throws ApiError (400) for a body that cannot be read. */
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
  if (!isRecord(value)) throw ApiError.badRequest('expected an Object as the body');
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

/** The parameter as text; empty when it is missing. */
export function text(parameters: CallParameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The parameter as a whole number within bounds; `fallback` when it is missing, 0 when it is none. */
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

/** Whether the parameter says yes, in one of the words the server knows. */
export function flag(parameters: CallParameters, name: string): boolean {
  return ['true', 'yes', '1'].includes(text(parameters, name).toLowerCase());
}

/** A list or object, given as such or as JSON text; undefined when it is missing or not JSON. */
export function structure(parameters: CallParameters, name: string): unknown {
  const value = parameters[name];
  return typeof value === 'string' ? parseJson(value) : value;
}

/** The value of JSON text; undefined for text that is not JSON. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
