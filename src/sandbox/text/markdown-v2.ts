/** Parses MarkdownV2 by the rules of Telegram's server, and with its words for what is wrong. */
import {
  byteOffset,
  type FormatType,
  type FormattedText,
  MarkupError,
  type MessageEntity,
  sortedEntities,
} from './entity.js';
import { customEmojiId, type FindPerson, linkEntity } from './link.js';

/** The characters that mean something, outside and inside of code. */
const RESERVED = '_*[]()~`>#+-=|{}.!\n';
const RESERVED_IN_CODE = '`';

/** How each kind of entity ends. A quotation ends with its last line. */
const closings: Readonly<Record<Kind, string>> = {
  Bold: '*',
  Italic: '_',
  Underline: '__',
  Strikethrough: '~',
  Spoiler: '||',
  Code: '`',
  Pre: '```',
  PreCode: '```',
  TextUrl: ']',
  CustomEmoji: ']',
  BlockQuote: '',
};

/** The kinds of entities by the names that errors call them. */
type Kind =
  | 'Bold'
  | 'Italic'
  | 'Underline'
  | 'Strikethrough'
  | 'Spoiler'
  | 'Code'
  | 'Pre'
  | 'PreCode'
  | 'TextUrl'
  | 'CustomEmoji'
  | 'BlockQuote';

const types: Readonly<Record<Exclude<Kind, 'TextUrl' | 'CustomEmoji'>, FormatType>> = {
  Bold: 'bold',
  Italic: 'italic',
  Underline: 'underline',
  Strikethrough: 'strikethrough',
  Spoiler: 'spoiler',
  Code: 'code',
  Pre: 'pre',
  PreCode: 'pre',
  BlockQuote: 'blockquote',
};

interface OpenEntity {
  readonly kind: Kind;
  /** Where its markup begins in the source. */
  readonly from: number;
  /** Where it begins in the result. */
  readonly offset: number;
  readonly language?: string;
}

/** @throws MarkupError */
export const parseMarkdownV2 = (source: string, person: FindPerson): FormattedText =>
  new Parser(source, person).parse();

class Parser {
  readonly #source: string;
  readonly #person: FindPerson;
  readonly #open: OpenEntity[] = [];
  readonly #entities: MessageEntity[] = [];
  #index = 0;
  #text = '';

  constructor(source: string, person: FindPerson) {
    this.#source = source;
    this.#person = person;
  }

  parse(): FormattedText {
    while (this.#index < this.#source.length) this.#step();
    if (this.#open.at(-1)?.kind === 'BlockQuote') this.#close();
    const unclosed = this.#open.at(-1);
    if (unclosed) throw this.#noEnd(unclosed);
    return { text: this.#text, entities: sortedEntities(this.#entities) };
  }

  get #innermost(): OpenEntity | undefined {
    return this.#open.at(-1);
  }

  get #inQuote(): boolean {
    return this.#open.some(({ kind }) => kind === 'BlockQuote');
  }

  #step(): void {
    const character = this.#source.charAt(this.#index);
    const escaped = this.#escaped();
    if (escaped !== undefined) {
      this.#text += escaped;
      this.#index += 2;
      return;
    }
    const innermost = this.#innermost;
    const isCode = innermost && ['Code', 'Pre', 'PreCode'].includes(innermost.kind);
    if (!(isCode ? RESERVED_IN_CODE : RESERVED).includes(character)) {
      this.#text += character;
      this.#index++;
    } else if (character === '\n') this.#endLine();
    else if (innermost && this.#isEndOf(innermost)) this.#close();
    else if (!this.#endsExpandableQuote()) this.#begin(character);
  }

  /** The character that a backslash here takes its meaning from: any of ASCII. */
  #escaped(): string | undefined {
    if (!this.#at('\\')) return undefined;
    const next = this.#source.charAt(this.#index + 1);
    return next > '\0' && next <= '~' ? next : undefined;
  }

  #isEndOf({ kind }: OpenEntity): boolean {
    const closing = closings[kind];
    if (closing === '' || !this.#at(closing)) return false;
    // Two underscores are an underline, also inside of an italic text.
    return kind !== 'Italic' || !this.#at('__');
  }

  /** Goes on with the quotation in the next line, or ends it with this one. */
  #endLine(): void {
    const goesOn = this.#source.startsWith('>', this.#index + 1);
    this.#text += '\n';
    const innermost = this.#innermost;
    if (this.#inQuote && !goesOn) {
      if (innermost && innermost.kind !== 'BlockQuote') throw this.#noEnd(innermost);
      this.#close();
      this.#index++;
      return;
    }
    this.#index += this.#inQuote && goesOn ? 2 : 1;
  }

  /** The mark at the end of a quotation that a person can fold. */
  #endsExpandableQuote(): boolean {
    if (this.#innermost?.kind !== 'BlockQuote' || !this.#at('||')) return false;
    const after = this.#source.slice(this.#index + 2, this.#index + 4);
    if (after !== '' && !(after.startsWith('\n') && after !== '\n>')) return false;
    this.#index += 2;
    this.#add('expandable_blockquote', this.#open.pop());
    return true;
  }

  #begin(character: string): void {
    if (this.#at('```')) {
      this.#beginPre();
      return;
    }
    const beginning = this.#beginning(character);
    if (!beginning)
      throw new MarkupError(
        `Character '${character}' is reserved and must be escaped with the preceding '\\'`,
      );
    const [kind, markup] = beginning;
    this.#open.push({ kind, from: this.#index, offset: this.#text.length });
    this.#index += markup.length;
  }

  /** The entity that begins here, with the markup that begins it. */
  #beginning(character: string): readonly [Kind, string] | undefined {
    const isLineStart = this.#index === 0 || this.#source.charAt(this.#index - 1) === '\n';
    const beginsQuote = isLineStart && !this.#inQuote;
    switch (character) {
      case '_':
        return this.#at('__') ? ['Underline', '__'] : ['Italic', '_'];
      case '*':
        return beginsQuote && this.#at('**>') ? ['BlockQuote', '**>'] : ['Bold', '*'];
      case '~':
        return ['Strikethrough', '~'];
      case '[':
        return ['TextUrl', '['];
      case '`':
        return ['Code', '`'];
      case '|':
        return this.#at('||') ? ['Spoiler', '||'] : undefined;
      case '!':
        return this.#at('![') ? ['CustomEmoji', '!['] : undefined;
      case '>':
        return beginsQuote ? ['BlockQuote', '>'] : undefined;
      default:
        return undefined;
    }
  }

  /** A block of code may name its language, and its first line break does not count. */
  #beginPre(): void {
    const from = this.#index;
    const [markup = '', language = ''] = /^```([^\s`]*(?=\s))?(?:\r\n|\n\r|\n|\r)?/.exec(
      this.#source.slice(from),
    ) ?? ['```'];
    this.#open.push({
      kind: language === '' ? 'Pre' : 'PreCode',
      from,
      offset: this.#text.length,
      ...(language !== '' && { language }),
    });
    this.#index += markup.length;
  }

  #close(): void {
    const entity = this.#open.pop();
    if (!entity) return;
    this.#index += closings[entity.kind].length;
    if (entity.kind === 'TextUrl') {
      const url = this.#at('(') ? this.#url('a URL') : this.#text.slice(entity.offset);
      const link = linkEntity(url, this.#person);
      if (link) this.#add(link.type, entity, link);
    } else if (entity.kind === 'CustomEmoji') {
      if (!this.#at('(')) throw new MarkupError('Custom emoji entity must contain a tg://emoji URL');
      const custom_emoji_id = customEmojiId(this.#url('a custom emoji URL'));
      this.#add('custom_emoji', entity, { custom_emoji_id });
    } else {
      const { language } = entity;
      this.#add(types[entity.kind], entity, language === undefined ? {} : { language });
    }
  }

  /** Reads the URL in parentheses. */
  #url(what: string): string {
    const from = ++this.#index;
    let url = '';
    while (this.#index < this.#source.length) {
      const escaped = this.#escaped();
      const character = this.#source.charAt(this.#index);
      if (escaped === undefined && character === ')') {
        this.#index++;
        return url;
      }
      url += escaped ?? character;
      this.#index += escaped === undefined ? 1 : 2;
    }
    throw new MarkupError(`Can't find end of ${what} at byte offset ${byteOffset(this.#source, from)}`);
  }

  #add(type: MessageEntity['type'], open: OpenEntity | undefined, more: Partial<MessageEntity> = {}): void {
    const offset = open?.offset ?? 0;
    const length = this.#text.length - offset;
    if (length > 0) this.#entities.push({ ...more, type, offset, length });
  }

  #at(markup: string): boolean {
    return this.#source.startsWith(markup, this.#index);
  }

  #noEnd({ kind, from }: OpenEntity): MarkupError {
    const offset = byteOffset(this.#source, from);
    return new MarkupError(`Can't find end of ${kind} entity at byte offset ${offset}`);
  }
}
