/** What people send beside texts and files: stickers, places, contacts and dice. */
import { randomInt } from 'node:crypto';
import type { BotAccount } from '../bot-account.js';
import { diceSides } from '../methods/send.js';
import { stickerOf } from '../methods/stickers.js';
import type { Letter } from './messages.js';

/** A sticker without a picture: bots tell stickers apart by their ids, and by the emoji that they stand for. */
export function stickerLetter({ files }: BotAccount, emoji: string): Letter {
  const id = `sandbox-sticker-${[...emoji].map((letter) => letter.codePointAt(0)?.toString(16)).join('-')}`;
  files.learn(id);
  return {
    name: emoji,
    content: { sticker: stickerOf({ file_id: id, file_unique_id: id }, { emoji, set_name: 'sandbox' }) },
  };
}

export const locationLetter = (latitude: number, longitude: number): Letter => ({
  name: `${latitude}, ${longitude}`,
  content: { location: { latitude, longitude } },
});

export const contactLetter = (name: string, phone: string): Letter => ({
  name,
  content: { contact: { phone_number: phone.replaceAll(/[^+\d]/g, ''), first_name: name } },
});

/** A message of nothing but the emoji of a kind of dice is thrown; undefined for any other text. */
export function diceLetter(text: string): Letter | undefined {
  const emoji = text.trim().replace('\uFE0F', '');
  const sides = diceSides.get(emoji);
  return sides === undefined
    ? undefined
    : { name: emoji, content: { dice: { emoji, value: randomInt(1, sides + 1) } } };
}
