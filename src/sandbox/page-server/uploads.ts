/** The files that people send, each as what Telegram's apps make of it. */
import { isObject } from '../../json.js';
import type { BotAccount } from '../bot-account.js';
import { fileOf } from '../methods/media.js';
import { captionOf } from '../methods/texts.js';
import { Upload } from '../upload.js';
import type { Letter } from './messages.js';

/** As what a file is sent: by default as what shows it best. */
export const sendings = ['media', 'document', 'voice'] as const;

export interface SentFile {
  readonly name: string;
  /** The media type, as the browser knows it. */
  readonly type: unknown;
  readonly as?: (typeof sendings)[number] | undefined;
  readonly caption: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** In seconds. */
  readonly duration: number | undefined;
}

/** Keeps a file, and returns the message that shows it. */
export function fileLetter(
  { account, body }: { readonly account: BotAccount; readonly body: Buffer },
  file: SentFile,
): Letter {
  const { name, type, caption = '' } = file;
  const { width, height, duration } = file;
  const kind = kindOf(file);
  const given = { [kind]: new Upload(name, body), width, height, duration };
  const content = fileOf(kind).read(given, account);
  return {
    name: caption || name,
    content: { ...typed(content, type), ...captionOf({ caption }, account) },
  };
}

function kindOf({ type, as = 'media', width, height }: SentFile): string {
  if (as !== 'media') return as;
  const media = `${type}`;
  if (media === 'image/gif') return 'animation';
  // Telegram makes a photo only of what it can take for one.
  if (/^image\/(png|jpeg|webp)$/.test(media)) return width && height ? 'photo' : 'document';
  const [kind = ''] = media.split('/');
  return ['video', 'audio'].includes(kind) ? kind : 'document';
}

/** Adds the media type to what shows a file. A photo has none. */
function typed(content: object, type: unknown): object {
  if (typeof type !== 'string' || type === '') return content;
  return Object.fromEntries(
    Object.entries(content).map(([kind, file]) => [
      kind,
      isObject(file) ? { ...file, mime_type: type } : file,
    ]),
  );
}
