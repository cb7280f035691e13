/** The files that people send: a picture becomes a photo, anything else a document. */
import type { BotAccount } from '../bot-account.js';
import { captionFields, plainText } from '../text/formatted-text.js';
import { Upload } from '../upload.js';

export interface SentFile {
  readonly name: string;
  /** The media type, as the browser knows it. */
  readonly type: unknown;
  readonly caption: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/** Keeps a file, and returns the content of the message that shows it. */
export function uploadContent(
  { account, body }: { readonly account: BotAccount; readonly body: Buffer },
  { name, type, caption, width, height }: SentFile,
): object {
  const isPhoto = /^image\/(png|jpeg|webp)$/.test(`${type}`) && width !== undefined && height !== undefined;
  const fileId = account.files.add(isPhoto ? 'photo' : 'document', new Upload(name, body));
  const file = { file_id: fileId, file_unique_id: fileId, file_size: body.length };
  return {
    ...(isPhoto
      ? { photo: [{ ...file, width, height }] }
      : { document: { ...file, file_name: name, ...(type !== '' && { mime_type: `${type}` }) } }),
    ...(caption !== undefined && captionFields(plainText(caption))),
  };
}
