/** A message in a line of words, for lists and for speech. Knows nothing of the page. */
import { type Content, isRecord } from './content.js';

/** What a message may have in place of words, the more telling fields first. */
const names: Readonly<Record<string, string>> = {
  photo: 'Photo',
  animation: 'Animation',
  video: 'Video',
  video_note: 'Video message',
  voice: 'Voice message',
  audio: 'Audio',
  document: 'File',
  sticker: 'Sticker',
  dice: 'Dice',
  poll: 'Poll',
  venue: 'Venue',
  location: 'Location',
  contact: 'Contact',
  invoice: 'Invoice',
  game: 'Game',
  paid_media: 'Paid media',
};

/** Returns the text of a message, its caption, or what it has in place of words. */
export function messageInWords(message: Content): string {
  const { text, caption, poll } = message;
  if (typeof text === 'string') return text;
  if (typeof caption === 'string' && caption !== '') return caption;
  if (isRecord(poll)) return `Poll: ${poll['question']}`;
  const field = Object.keys(names).find((name) => message[name] !== undefined);
  return (field && names[field]) ?? 'Message';
}

/** The name of who has sent a message. */
export function authorOf({ from }: Content): string {
  return isRecord(from) ? `${from['first_name'] ?? ''}` : '';
}

export const isOfBot = ({ from }: Content): boolean => isRecord(from) && from['is_bot'] === true;
