/** The files that people upload in tests. */
import type { BotAccount } from '../bot-account.js';
import { fileOf } from '../methods/media.js';
import { captionFields, plainText } from '../text/formatted-text.js';
import { Upload } from '../upload.js';
import { SandboxError } from './sandbox-error.js';

const kinds = ['photo', 'video', 'animation', 'audio', 'voice', 'video_note', 'document'] as const;

/** The kinds of files that people upload. */
export type UploadKind = (typeof kinds)[number];

/** A file to upload, by its kind, such as `{ photo: bytes }`. */
export type FileToUpload = {
  [Kind in UploadKind]: { readonly [Name in Kind]: Uint8Array };
}[UploadKind] & {
  /** Default: the name of the kind. */
  readonly fileName?: string;
  readonly caption?: string;
};

/**
 * Keeps a file, and returns the content of the message that shows it.
 *
 * @throws SandboxError MISUSED for what is no file
 * @internal
 */
export function uploadContent(account: BotAccount, file: FileToUpload): Readonly<Record<string, unknown>> {
  const kind = kindOf(file);
  const bytes = kind && bytesOf(file, kind);
  if (!kind || !bytes)
    throw new SandboxError(
      'MISUSED',
      `A file to upload must have its bytes by its kind: ${kinds.join(', ')}.`,
      {
        nextStep: 'give them as a Buffer, such as upload({ photo: await readFile(path) })',
      },
    );
  const upload = new Upload(fileNameOf(file), Buffer.from(bytes));
  return {
    ...fileOf(kind).read({ [kind]: upload }, account),
    ...(file.caption !== undefined && captionFields(plainText(file.caption))),
  };
}

export const fileNameOf = (file: FileToUpload): string => file.fileName ?? kindOf(file) ?? 'file';

const kindOf = (file: FileToUpload): UploadKind | undefined => kinds.find((kind) => kind in file);

function bytesOf(file: Readonly<Record<string, unknown>>, kind: UploadKind): Uint8Array | undefined {
  const bytes = file[kind];
  // The bytes may be of another realm, as those of Jest's tests are.
  return ArrayBuffer.isView(bytes) && Object.prototype.toString.call(bytes) === '[object Uint8Array]'
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : undefined;
}
