/** What a message shows beside words: pictures, sounds, files, places, and what else has a content of its own. */

import { type Content, isRecord } from './content.js';
import { h, icon } from './dom.js';
import type { Server } from './server.js';

/** The fields of moving pictures, with what each is called. */
const films = [
  ['animation', 'Animation'],
  ['video', 'Video'],
  ['video_note', 'Video message'],
] as const;

const sounds = [
  ['voice', 'Voice message'],
  ['audio', 'Audio'],
] as const;

/** Returns undefined for a message that has only words. */
export function messageMedia(server: Server, message: Content): Node | undefined {
  const fileIn = (field: string): Content | undefined => {
    const value = message[field];
    const file: unknown = Array.isArray(value) ? value.at(-1) : value;
    return isRecord(file) && typeof file['file_id'] === 'string' ? file : undefined;
  };
  const url = (file: Content) => server.fileUrl(`${file['file_id']}`);
  const photo = fileIn('photo');
  if (photo) return image(url(photo), 'Photo', photo);
  for (const [field, label] of films) {
    const film = fileIn(field);
    if (film) return h('video', { src: url(film), controls: true, preload: 'metadata', 'aria-label': label });
  }
  for (const [field, label] of sounds) {
    const sound = fileIn(field);
    if (sound)
      return h('audio', { src: url(sound), controls: true, preload: 'metadata', 'aria-label': label });
  }
  const document = fileIn('document');
  if (document) {
    const name = `${document['file_name'] ?? 'file'}`;
    return h('a', { class: 'file', href: url(document), download: name }, icon('file'), name);
  }
  return other(message);
}

function image(src: string, alt: string, { width, height }: Content): Node {
  const failed = () =>
    shown.replaceWith(h('p', { class: 'placeholder' }, `${alt}, of which the sandbox has no content`));
  const shown = h('img', { src, alt, width, height, loading: 'lazy', on: { error: failed } });
  return shown;
}

function other(message: Content): Node | undefined {
  const { sticker, location, contact, dice, venue, invoice, game, paid_media: paid } = message;
  if (isRecord(sticker)) return h('p', { class: 'large' }, `${sticker['emoji'] ?? 'Sticker'}`);
  if (isRecord(dice)) return h('p', { class: 'large' }, `${dice['emoji']} ${dice['value']}`);
  if (isRecord(venue)) return h('p', {}, `${venue['title']}, ${venue['address']}`);
  if (isRecord(location)) return h('p', {}, `Location ${location['latitude']}, ${location['longitude']}`);
  if (isRecord(contact)) return h('p', {}, `Contact ${contact['first_name']}, ${contact['phone_number']}`);
  if (isRecord(invoice)) return h('p', {}, `Invoice: ${invoice['title']}, ${price(invoice)}`);
  if (isRecord(game)) return h('p', {}, `Game: ${game['title']}`);
  if (isRecord(paid)) return h('p', {}, `Media for ${paid['star_count']} stars`);
  return undefined;
}

/** The price of an invoice, whose amount is in the smallest unit of its currency. */
function price({ total_amount: amount, currency }: Content): string {
  if (currency === 'XTR') return `${amount} stars`;
  try {
    const format = new Intl.NumberFormat(undefined, { style: 'currency', currency: `${currency}` });
    const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
    return format.format(Number(amount) / 10 ** digits);
  } catch {
    return `${amount} ${currency}`;
  }
}
