/** Messages as a person sees them. */
import { isObject } from '../../json.js';
import type { BotAccount } from '../bot-account.js';
import { contentOf, type Message } from '../message.js';
import type { MessageEntity } from '../text/entity.js';

/** A file in a message. */
export interface SeenFile {
  /** `photo`, `document`, `voice` and so on. */
  readonly kind: string;
  readonly fileId: string;
  /** The name of the file, which only some kinds have. */
  readonly name: string | undefined;
  /** What was uploaded; a sentence that says so for a file that the bot names by an id or a URL of its own. */
  readonly content: Buffer;
}

/** A message as a person sees it at one moment. */
export interface SeenMessage {
  readonly id: number;
  /** The id of the chat. */
  readonly chat: number;
  /** The first name of whoever has sent it. */
  readonly from: string;
  /** The text, else the caption of a file, else the question of a poll; empty where nothing can be read. */
  readonly text: string;
  /** The parts of the text that are bold, links, commands and so on. */
  readonly entities: readonly MessageEntity[];
  /** The texts on the buttons below it, row by row. */
  readonly buttons: readonly (readonly string[])[];
  readonly file: SeenFile | undefined;
  /** The emoji of the reactions that the bot has set. */
  readonly reactions: readonly string[];
  readonly isEdited: boolean;
  /** The id of the message that it replies to. */
  readonly replyTo: number | undefined;
  /** The message in the format of the Bot API. */
  readonly raw: Message;
}

const mediaKinds = [
  'photo',
  'animation',
  'video',
  'video_note',
  'voice',
  'audio',
  'sticker',
  'document',
] as const;

/** Returns a message of the bot's chats as a person sees it now. @internal */
export function seenMessage(account: BotAccount, message: Message): SeenMessage {
  const reactions = account.messages.reactions(message.chat.id, message.message_id);
  return {
    id: message.message_id,
    chat: message.chat.id,
    from: message.from?.first_name ?? '',
    text: textOf(message),
    entities: entitiesOf(message),
    buttons: buttonRows(message['reply_markup'], 'inline_keyboard'),
    file: fileOf(account, message),
    reactions: reactions.map((reaction) => (isObject(reaction) ? `${reaction['emoji'] ?? '★'}` : '★')),
    isEdited: message['edit_date'] !== undefined,
    replyTo: message.reply_to_message?.message_id,
    raw: message,
  };
}

/** Returns what a person reads in a message. */
function textOf({ text, caption, poll }: Message): string {
  if (typeof text === 'string') return text;
  if (typeof caption === 'string') return caption;
  return isObject(poll) ? `${poll['question']}` : '';
}

function entitiesOf(message: Message): readonly MessageEntity[] {
  const entities = message['entities'] ?? message['caption_entities'];
  return Array.isArray(entities) ? entities : [];
}

/** Returns the texts on the buttons of a keyboard, row by row. @internal */
export function buttonRows(
  markup: unknown,
  field: 'inline_keyboard' | 'keyboard',
): readonly (readonly string[])[] {
  const rows = isObject(markup) ? markup[field] : undefined;
  if (!Array.isArray(rows)) return [];
  return rows.map((row: unknown) =>
    (Array.isArray(row) ? row : []).map((button: unknown) =>
      isObject(button) ? `${button['text']}` : `${button}`,
    ),
  );
}

function fileOf({ files }: BotAccount, message: Message): SeenFile | undefined {
  const kind = mediaKinds.find((name) => message[name] !== undefined);
  const media = kind && message[kind];
  // Of a photo there are several sizes, the largest last.
  const file: unknown = Array.isArray(media) ? media.at(-1) : media;
  if (!kind || !isObject(file)) return undefined;
  const fileId = `${file['file_id']}`;
  const { file_name: name } = file;
  return {
    kind,
    fileId,
    name: typeof name === 'string' ? name : undefined,
    content: files.content(files.find(fileId)?.path ?? '') ?? Buffer.alloc(0),
  };
}

/** Describes a message in a few words. @internal */
export function messageInWords({ text, raw, isEdited }: SeenMessage): string {
  const kind = Object.keys(contentOf(raw)).find((field) => !/caption|entities/.test(field)) ?? 'message';
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text;
  const words =
    kind === 'text' ? JSON.stringify(shown) : `a ${kind}${text && ` with ${JSON.stringify(shown)}`}`;
  return isEdited ? `${words} (edited)` : words;
}
