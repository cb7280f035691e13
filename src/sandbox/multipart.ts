/** Parses multipart bodies, in which programs upload files. The only file that imports busboy. */
import { ApiError } from './api-response.js';
import type { CallParameters } from './parameters.js';
import { Upload } from './upload.js';

/** Resolves to the fields and the files of a body. Rejects with an ApiError 400 for a body that cannot be parsed. */
export async function parseMultipart(contentType: string, body: Buffer): Promise<CallParameters> {
  // Imported with the first upload: neither the sandbox nor anything else waits for it before.
  const { default: busboy } = await import('busboy');
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) =>
      reject(ApiError.badRequest(`the multipart body cannot be parsed: ${messageOf(error)}`));
    try {
      const parser = busboy({
        headers: { 'content-type': contentType },
        defParamCharset: 'utf8',
        limits: { fieldSize: body.length },
      });
      const found: [string, unknown][] = [];
      parser.on('field', (name, value) => found.push([unescaped(name), value]));
      parser.on('file', (name, file, { filename }) => {
        const chunks: Buffer[] = [];
        file.on('data', (chunk: Buffer) => chunks.push(chunk));
        // A file that is cut off also ends the parser with an error.
        file.on('error', () => {});
        file.on('end', () =>
          found.push([unescaped(name), new Upload(unescaped(filename ?? ''), Buffer.concat(chunks))]),
        );
      });
      parser.on('error', fail);
      parser.on('close', () => resolve(Object.fromEntries(found)));
      parser.end(body);
    } catch (error) {
      fail(error);
    }
  });
}

/** Browsers and `FormData` write these three characters of a name in this way. */
const unescaped = (name: string): string =>
  name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : `${error}`);
