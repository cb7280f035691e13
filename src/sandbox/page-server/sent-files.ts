/** Serves the files that the bot and people have sent, as far as the page shows them. */
import type { ServerResponse } from 'node:http';
import type { BotAccount } from '../bot-account.js';

/** The first bytes of what a browser shows by itself, with the type. Any other content is only downloaded. */
const signatures: readonly (readonly [type: string, offset: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
  ['video/mp4', 4, 'ftyp'],
  ['video/webm', 0, '\x1a\x45\xdf\xa3'],
  ['audio/ogg', 0, 'OggS'],
  ['audio/mpeg', 0, 'ID3'],
  ['audio/wav', 8, 'WAVE'],
];

export function serveSentFile({ files }: BotAccount, id: string, response: ServerResponse): void {
  const file = files.find(id);
  const content = file && files.content(file.path);
  if (!content) throw new RangeError('there is no such file');
  const type = signatures.find(
    ([, offset, bytes]) => content.toString('latin1', offset, offset + bytes.length) === bytes,
  )?.[0];
  response.writeHead(200, {
    'content-type': type ?? 'application/octet-stream',
    'content-length': content.length,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...(type === undefined && { 'content-disposition': 'attachment' }),
  });
  response.end(content);
}
