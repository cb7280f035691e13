/** Where dotenv enters: only its reading of the text. It changes no environment and prints nothing. */
import { parse } from 'dotenv';

/** The variables that a `.env` file sets; a name that comes twice has its last value. Takes any text. */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  return parse(text);
}

/** The line, from 1, on which the text sets the variable; the last one where there are several. */
export function lineOf(text: string, name: string): number | undefined {
  const lines = text.split(/\r\n?|\n/);
  const sets = new RegExp(`^\\uFEFF?\\s*(?:export\\s+)?${name}\\s*[=:]`);
  const index = lines.findLastIndex((line) => sets.test(line));
  return index === -1 ? undefined : index + 1;
}
