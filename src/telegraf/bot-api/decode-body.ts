/** Decodes bodies that a proxy has compressed, though the request asks for `identity`. */
import { promisify } from 'node:util';

/** Far more than Telegram sends for 100 updates; keeps a faulty server from filling the memory. */
export const LONGEST_BODY_BYTES = 64 * 1024 * 1024;

/** Whether a body with this `content-encoding` has to be decoded before it is read. */
export const isEncoded = (encoding: string | undefined): encoding is string =>
  encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity';

/** Rejects where the encoding is unknown, the body is damaged, or it would become too long. */
export async function decodeBody(body: Buffer, encoding: string): Promise<Buffer> {
  // Loaded only where it is needed: nearly no answer is compressed.
  const zlib = await import('node:zlib');
  const options = { maxOutputLength: LONGEST_BODY_BYTES };
  switch (encoding.toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return promisify<Buffer, object, Buffer>(zlib.gunzip)(body, options);
    case 'deflate':
      // Some servers send it without the wrapper of zlib.
      return promisify<Buffer, object, Buffer>((body[0] ?? 0) % 16 === 8 ? zlib.inflate : zlib.inflateRaw)(
        body,
        options,
      );
    case 'br':
      return promisify<Buffer, object, Buffer>(zlib.brotliDecompress)(body, options);
    default:
      throw new Error(`the body has the unknown content-encoding ${encoding}`);
  }
}
