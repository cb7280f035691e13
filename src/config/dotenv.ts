/** The adapter to dotenv. Only its parser is used, which changes no environment and prints nothing. */
import { parse } from 'dotenv';

/** Returns the variables that the text of a `.env` file sets; of a name that is set twice, the last value. */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  return parse(text);
}
