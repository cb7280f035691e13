/** JSON from outside: parsed to `unknown`, and looked at before it is believed. */

/** The value that the text is the JSON of; undefined where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    return undefined;
  }
}

/** Whether the value has fields to look at: an object that is not null and no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
