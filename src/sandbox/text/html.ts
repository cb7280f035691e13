/** Parses HTML by the rules of Telegram's server, and with its words for what is wrong. */
import {
  byteOffset,
  type FormatType,
  type FormattedText,
  MarkupError,
  type MessageEntity,
  sortedEntities,
} from './entity.js';
import { checkedEmojiId, type FindPerson, linkEntity } from './link.js';

/** The tags that Telegram takes; an attribute decides what `a`, `span` and `tg-emoji` are. */
const tags: ReadonlyMap<string, FormatType> = new Map<string, FormatType>([
  ['a', 'text_link'],
  ['b', 'bold'],
  ['strong', 'bold'],
  ['i', 'italic'],
  ['em', 'italic'],
  ['u', 'underline'],
  ['ins', 'underline'],
  ['s', 'strikethrough'],
  ['strike', 'strikethrough'],
  ['del', 'strikethrough'],
  ['span', 'spoiler'],
  ['tg-spoiler', 'spoiler'],
  ['tg-emoji', 'custom_emoji'],
  ['code', 'code'],
  ['pre', 'pre'],
  ['blockquote', 'blockquote'],
]);

const characters: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
]);

interface OpenTag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** Where it begins in the result. */
  readonly offset: number;
}

/** @throws MarkupError */
export const parseHtml = (source: string, person: FindPerson): FormattedText =>
  new Parser(source, person).parse();

class Parser {
  readonly #source: string;
  readonly #person: FindPerson;
  readonly #open: OpenTag[] = [];
  #entities: MessageEntity[] = [];
  #index = 0;
  #text = '';

  constructor(source: string, person: FindPerson) {
    this.#source = source;
    this.#person = person;
  }

  parse(): FormattedText {
    while (this.#index < this.#source.length) {
      if (this.#peek() !== '<') this.#text += this.#readCharacter();
      else if (this.#source.charAt(this.#index + 1) === '/') this.#endTag();
      else this.#startTag();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed) throw new MarkupError(`Can't find end tag corresponding to start tag "${unclosed.name}"`);
    if (/\p{Surrogate}/u.test(this.#text))
      throw new MarkupError(
        'Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units',
      );
    // The language of a `code` counts only where it is a block.
    const entities = this.#entities.map(({ language, ...rest }) =>
      rest.type === 'pre' && language !== undefined ? { ...rest, language } : rest,
    );
    return { text: this.#text, entities: sortedEntities(entities) };
  }

  #peek(): string {
    return this.#source.charAt(this.#index);
  }

  /** Reads one character, or the reference to one. A reference that Telegram does not know stays as it is. */
  #readCharacter(): string {
    const reference = /^&(?:#x([\da-f]{1,7})|#(\d{1,7})|([a-z]+));?/i.exec(
      this.#source.slice(this.#index, this.#index + 12),
    );
    const [all = '', hexadecimal, decimal, name] = reference ?? [];
    const code = hexadecimal ? Number.parseInt(hexadecimal, 16) : Number(decimal ?? 0);
    const decoded =
      name === undefined
        ? code > 0 && code < 0x10ffff
          ? String.fromCodePoint(code)
          : undefined
        : characters.get(name);
    this.#index += decoded === undefined ? 1 : all.length;
    return decoded ?? this.#source.charAt(this.#index - 1);
  }

  #startTag(): void {
    const begin = this.#index;
    const at = () => `at byte offset ${byteOffset(this.#source, begin)}`;
    this.#index++;
    const name = this.#readWhile(/[^\s>]/).toLowerCase();
    if (this.#peek() === '') throw new MarkupError(`Unclosed start tag ${at()}`);
    if (!tags.has(name)) throw new MarkupError(`Unsupported start tag "${name}" ${at()}`);
    const attributes = new Map<string, string>();
    for (;;) {
      this.#readWhile(/\s/);
      if (this.#peek() === '>') break;
      if (this.#peek() === '') throw new MarkupError(`Unclosed start tag "${name}" ${at()}`);
      const attribute = this.#readWhile(/[^\s=>]/).toLowerCase();
      if (attribute === '') throw new MarkupError(`Empty attribute name in the tag "${name}" ${at()}`);
      this.#readWhile(/\s/);
      if (this.#peek() !== '=') {
        attributes.set(attribute, '');
        continue;
      }
      this.#index++;
      this.#readWhile(/\s/);
      if (this.#peek() === '') throw new MarkupError(`Unclosed start tag "${name}" ${at()}`);
      attributes.set(attribute, this.#attributeValue());
      if (this.#peek() === '') throw new MarkupError(`Unclosed start tag ${at()}`);
    }
    this.#index++;
    if (name === 'span' && attributes.get('class') !== 'tg-spoiler')
      throw new MarkupError(`Tag "span" must have class "tg-spoiler" ${at()}`);
    this.#open.push({ name, attributes, offset: this.#text.length });
  }

  #attributeValue(): string {
    const quote = this.#peek();
    const begin = this.#index;
    if (quote !== '"' && quote !== "'") {
      const token = this.#readWhile(/[\w.-]/).toLowerCase();
      if (!/^[\s>]$/.test(this.#peek()))
        throw new MarkupError(
          `Unexpected end of name token at byte offset ${byteOffset(this.#source, begin)}`,
        );
      return token;
    }
    this.#index++;
    let value = '';
    while (this.#peek() !== quote && this.#peek() !== '') value += this.#readCharacter();
    this.#index++;
    return value;
  }

  #endTag(): void {
    const begin = this.#index;
    const at = () => `at byte offset ${byteOffset(this.#source, begin)}`;
    const open = this.#open.pop();
    if (!open) throw new MarkupError(`Unexpected end tag ${at()}`);
    this.#index += 2;
    const name = this.#readWhile(/[^\s>]/).toLowerCase();
    this.#readWhile(/\s/);
    if (this.#peek() !== '>') throw new MarkupError(`Unclosed end tag ${at()}`);
    this.#index++;
    if (name !== '' && name !== open.name)
      throw new MarkupError(`Unmatched end tag ${at()}, expected "</${open.name}>", found "</${name}>"`);
    this.#add(open);
  }

  #add({ name, attributes, offset }: OpenTag): void {
    const length = this.#text.length - offset;
    const type = tags.get(name);
    if (length === 0 || type === undefined) return;
    const add = (entity: Partial<MessageEntity>) => this.#entities.push({ type, ...entity, offset, length });
    switch (type) {
      case 'text_link': {
        const link = linkEntity(attributes.get('href') || this.#text.slice(offset), this.#person);
        if (link) add(link);
        return;
      }
      case 'custom_emoji':
        add({ custom_emoji_id: checkedEmojiId(attributes.get('emoji-id') ?? '') });
        return;
      case 'blockquote':
        add({ type: attributes.has('expandable') ? 'expandable_blockquote' : 'blockquote' });
        return;
      case 'code':
      case 'pre': {
        const language = /^language-(.+)/.exec(attributes.get('class') ?? '')?.[1];
        this.#addCode(type, { offset, length, ...(type === 'code' && language && { language }) });
        return;
      }
      default:
        add({});
    }
  }

  /** A `pre` and a `code` of the same text are one block of code, in the language that the `code` names. */
  #addCode(
    type: 'code' | 'pre',
    entity: Pick<MessageEntity, 'offset' | 'length'> & { readonly language?: string },
  ): void {
    const other = this.#entities.at(-1);
    const language = entity.language ?? other?.language;
    const isSameText =
      other?.type === (type === 'pre' ? 'code' : 'pre') &&
      other.offset === entity.offset &&
      other.length === entity.length;
    if (isSameText && language !== undefined)
      this.#entities = [...this.#entities.slice(0, -1), { ...entity, type: 'pre', language }];
    else this.#entities.push({ type, ...entity });
  }

  #readWhile(pattern: RegExp): string {
    const begin = this.#index;
    while (this.#peek() !== '' && pattern.test(this.#peek())) this.#index++;
    return this.#source.slice(begin, this.#index);
  }
}
