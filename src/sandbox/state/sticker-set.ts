/** A set of stickers in the format of the Bot API. */
export interface StickerSet {
  readonly name: string;
  readonly title: string;
  readonly sticker_type: string;
  readonly stickers: readonly object[];
}
