/**
 * Parses multipart bodies, in which programs upload files, as Telegram's server does: a value without quotes goes to the
 * next semicolon, and each value may be percent-encoded. Stricter parsers refuse file names of grammY, which writes them
 * as they are.
 */
import { ApiError } from './api-response.js';
import type { CallParameters } from './parameters.js';
import { Upload } from './upload.js';

const LINE_END = '\r\n';
const HEADERS_END = `${LINE_END}${LINE_END}`;
/** Follows the last boundary. */
const BODY_END = '--';
const FORM_DATA = 'form-data;';
/** The most bytes of the headers of all parts together, as in Telegram's server. */
const MAX_HEADERS_BYTES = 1 << 18;
const QUOTED = /^"((?:\\.|[^"\\])*)"\s*/s;
const UNQUOTED = /^([^;]*)/;

/**
 * Returns the fields and the files of a body.
 *
 * @throws ApiError 400 for a body that cannot be parsed, 431 for long headers of its parts
 */
export function parseMultipart(contentType: string, body: Buffer): CallParameters {
  const boundary = `--${boundaryOf(contentType)}`;
  const parameters: [string, unknown][] = [];
  let position = endOf(body, boundary, 0).next;
  let headersBytes = 0;
  while (body.toString('latin1', position, position + BODY_END.length) !== BODY_END) {
    const headers = endOf(body, HEADERS_END, position);
    headersBytes += headers.end - position;
    if (headersBytes > MAX_HEADERS_BYTES)
      throw new ApiError(431, 'Request Header Fields Too Large: total headers size exceeded');
    if (headers.end === position) throw ApiError.badRequest('headers in multipart/form-data are empty');
    const { name, fileName } = parseHeaders(body.toString('latin1', position + LINE_END.length, headers.end));
    const content = endOf(body, `${LINE_END}${boundary}`, headers.next);
    const value = body.subarray(headers.next, content.end);
    parameters.push([name, fileName === undefined ? value.toString() : new Upload(fileName, value)]);
    position = content.next;
  }
  return Object.fromEntries(parameters);
}

function boundaryOf(contentType: string): string {
  const [, parameter] = /boundary(.*)/is.exec(contentType) ?? [];
  if (parameter === undefined) throw ApiError.badRequest('boundary not found');
  const [, value] = /=([^;]*)/.exec(parameter) ?? [];
  if (value === undefined) throw ApiError.badRequest('boundary value not found');
  const boundary = value.replace(/^"(.+)"$/s, '$1');
  if (boundary === '') throw ApiError.badRequest('boundary too big or empty');
  return boundary;
}

/** Finds where a part ends and where the next one begins. Telegram's server would wait for the rest of a body that is cut off. */
function endOf(body: Buffer, delimiter: string, from: number): { end: number; next: number } {
  const end = body.indexOf(delimiter, from, 'latin1');
  if (end < 0) throw ApiError.badRequest('the multipart body is cut off');
  return { end, next: end + delimiter.length };
}

/** Parses the headers of a part, one byte a character. Only a file has a file name. */
function parseHeaders(headers: string): { readonly name: string; readonly fileName: string | undefined } {
  const disposition = new Map<string, string>();
  // A line that begins with a space continues the one before it.
  for (const line of headers.split(/\r\n(?![ \t])/)) {
    const [, name = '', value = ''] = /^([^:]*):(.*)$/s.exec(line) ?? [];
    if (name === '') throw ApiError.badRequest("can't parse form data headers");
    if (name.trim().toLowerCase() !== 'content-disposition') continue;
    for (const [key, given] of dispositionParameters(value.trim())) disposition.set(key, given);
  }
  const name = disposition.get('name');
  if (!name) throw ApiError.badRequest('field name in multipart/form-data not found');
  return { name, fileName: disposition.get('filename')?.replace(/^.*[/\\]/s, '') };
}

function* dispositionParameters(header: string): Generator<readonly [key: string, value: string]> {
  if (!header.startsWith(FORM_DATA)) throw ApiError.badRequest('expected form-data content disposition');
  let rest = header.slice(FORM_DATA.length);
  for (;;) {
    const equals = rest.indexOf('=');
    if (equals < 0) return;
    const key = rest.slice(0, equals).trim();
    rest = rest.slice(equals + 1).trimStart();
    const isQuoted = rest.startsWith('"');
    const [written, value = ''] = (isQuoted ? QUOTED : UNQUOTED).exec(rest) ?? [];
    if (written === undefined)
      throw ApiError.badRequest('unclosed quoted string in Content-Disposition header');
    rest = rest.slice(written.length);
    if (rest !== '' && !rest.startsWith(';'))
      throw ApiError.badRequest("expected ';' in Content-Disposition header");
    rest = rest.slice(1);
    yield [key, decoded(isQuoted ? value.replace(/\\(.)/gs, '$1') : value.trimEnd())];
  }
}

/** Decodes a text of one byte a character: percent-encoded bytes, and UTF-8. */
function decoded(text: string): string {
  const bytes = text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
