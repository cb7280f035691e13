/** Reads from a function's source what it expects to be called with. */

/** The names of what lastcall calls a bot module's function with. */
const contextNames = ['bot', 'lifecycle', 'log', 'config'] as const;

/**
 * What a function is by its parameters: a bot module's set-up (`({ bot }) => …`), something that a web server calls
 * (`(req, res) => …`), perhaps a program's `main()`, or unclear.
 */
export function kindOfFunction(
  candidate: (...args: never[]) => unknown,
): 'set-up' | 'other' | 'main' | 'unclear' {
  const parameters = parametersOf(candidate);
  const [first = ''] = parameters;
  if (candidate.length > 1 || /^_*req(uest)?$/i.test(first)) return 'other';
  if (first === '') return candidate.length === 0 ? 'main' : 'unclear';
  if (first.startsWith('{')) return namesIn(first).some(isContextName) ? 'set-up' : 'unclear';
  // A compiled `({ bot }) => …` may begin with `bot = _a.bot`.
  const uses = contextNames.some((name) => `${candidate}`.includes(`${first}.${name}`));
  return uses ? 'set-up' : 'unclear';
}

/** The parameters in words: `(req, res)`. */
export function parametersInWords(candidate: (...args: never[]) => unknown): string {
  return `(${parametersOf(candidate).join(', ')})`;
}

const isContextName = (name: string): boolean => contextNames.some((known) => known === name);

const namesIn = (pattern: string): string[] => pattern.split(/[^\w$]+/);

/** The parameters as they are written, without default values; none where the source is not to be had. */
function parametersOf(candidate: (...args: never[]) => unknown): string[] {
  const source = `${candidate}`;
  const [, only] = /^(?:async\s+)?([\w$]+)\s*=>/.exec(source) ?? [];
  if (only !== undefined) return [only];
  const parameters: string[] = [];
  let depth = 0;
  let text = '';
  for (const character of source.slice(source.indexOf('(') + 1)) {
    if (depth === 0 && (character === ',' || character === ')')) {
      parameters.push(text);
      if (character === ')') break;
      text = '';
      continue;
    }
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    text += character;
  }
  return parameters
    .map((parameter) => parameter.replace(/^([^{=]*|\s*\{.*\}\s*)=.*$/s, '$1').trim())
    .filter(Boolean);
}
