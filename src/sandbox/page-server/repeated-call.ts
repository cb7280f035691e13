/** Sends a call of the bot once more, with the same parameters or others, as if the bot had sent it. */
import { isObject, parseJson } from '../../json.js';
import type { BotAccount } from '../bot-account.js';
import type { PageSource } from './source.js';

/** How long the response is waited for: a fault may keep it back. */
const PATIENCE_MS = 60_000;

/** Resolves to the status of the response. Rejects with a RangeError for parameters that are no JSON object. */
export async function repeatCall(
  { method, parameters }: { readonly method: string; readonly parameters: string },
  { source, account }: { readonly source: PageSource; readonly account: BotAccount },
): Promise<{ readonly status: number | undefined }> {
  if (!/^\w+$/.test(method)) throw new RangeError('method must be the name of a method');
  if (!isObject(parseJson(parameters))) throw new RangeError('The parameters must be a JSON object.');
  try {
    const { status } = await fetch(`${source.apiRoot}/bot${account.token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: parameters,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { status };
  } catch {
    // A fault has cut it off, as it would have cut off the bot's. The log of calls shows how.
    return { status: undefined };
  }
}
