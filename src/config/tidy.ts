/** Takes away what editors, shells, chats and documents leave around a value, and nobody can see or meant. */

export interface Tidied {
  readonly text: string;
  /** What was taken away, in words. White space around a value is not worth a word. */
  readonly removed: readonly string[];
}

const QUOTES = 'quotation marks around it';
const INVISIBLE = 'invisible characters';
const PREFIX = '"bot" before it';

/** White space of all kinds, format characters (zero-width ones, the byte order mark), control characters. */
const around = /^[\s\p{Cf}\p{Cc}]+|[\s\p{Cf}\p{Cc}]+$/gu;
const inside = /\p{Cf}/gu;
const plainSpace = /^[ \t\r\n]*$/;

const closingQuotes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '„': '“',
  '‘': '’',
  '«': '»',
};

/** Tidies any value: white space, invisible characters and a matching pair of quotation marks around it. */
export function tidied(text: string): Tidied {
  const removed = new Set<string>();
  let rest = text;
  for (let before: string | undefined; before !== rest; ) {
    before = rest;
    rest = rest.replace(around, (found) => {
      if (!plainSpace.test(found)) removed.add(INVISIBLE);
      return '';
    });
    const content = contentOfQuotes(rest);
    if (content === undefined) continue;
    removed.add(QUOTES);
    rest = content;
  }
  return { text: rest, removed: [...removed] };
}

/** Tidies a token, which may have invisible characters inside as well, and `bot` before it, as in the URLs of the API. */
export function tidiedToken(text: string): Tidied {
  const { text: bare, removed } = tidied(text);
  const visible = bare.replace(inside, '');
  const token = visible.replace(/^bot(?=\d+:)/i, '');
  const all = [...removed];
  if (visible !== bare) all.push(INVISIBLE);
  if (token !== visible) all.push(PREFIX);
  return { text: token, removed: [...new Set(all)] };
}

/** Returns what stands between quotation marks, or undefined where the marks are not a pair around the whole text. */
function contentOfQuotes(text: string): string | undefined {
  const closing = closingQuotes[text[0] ?? ''];
  if (closing === undefined || text.length < 2 || text.at(-1) !== closing) return undefined;
  const content = text.slice(1, -1);
  const isPair = !content.includes(closing) || contentOfQuotes(content.replace(around, '')) !== undefined;
  return isPair ? content : undefined;
}
