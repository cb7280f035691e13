/** Where dotenv enters: only its reading of the text. It changes no environment and prints nothing. */
import { parse } from 'dotenv';

/** The variables that a `.env` file sets; a name that comes twice has its last value. Takes any text. */
export function parseEnvFile(text: string): Readonly<Record<string, string>> {
  return parse(text);
}
