/** Updates as text, for those who keep them. */
import type { Update } from 'telegraf/types';

/** The update that the text was made of: what was written as JSON comes back as what it was. */
export function parseUpdate(text: string): Update {
  return JSON.parse(text);
}
