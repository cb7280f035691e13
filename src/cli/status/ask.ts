/** Asks the processes that have a socket in a bot's folder. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { parseJson } from '../../json.js';
import { isSocketName } from '../../observe/status/socket-name.js';
import { socketPath } from '../../observe/status/socket-path.js';
import { codeOf } from '../../system-error.js';

export type Asked =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** A process listens, but has not answered in time. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'forbidden' }
  /** Nobody listens any more. */
  | { readonly kind: 'gone' };

/** No report is longer; what else listens there may send anything. */
const MAX_LENGTH = 1_000_000;

/** A process that is at work answers within milliseconds. */
const ANSWER_WITHIN_MS = 2_000;

/** The names of the sockets in a bot's folder. Throws the system's error if the folder cannot be read. */
export function socketsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter(isSocketName).sort();
}

/** Makes one request at a socket. Never rejects. */
export async function ask(
  folder: string,
  name: string,
  method: string,
  path: string,
  body?: object,
): Promise<Asked> {
  let address: ReturnType<typeof socketPath> | undefined;
  try {
    address = socketPath(folder, name);
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const asking = request({ socketPath: address.address, method, path, signal, agent: false });
    asking.end(body && JSON.stringify(body));
    const [response]: IncomingMessage[] = await once(asking, 'response');
    let text = '';
    for await (const chunk of response?.setEncoding('utf8') ?? []) {
      text += chunk;
      if (text.length > MAX_LENGTH) throw new Error('the answer is too long');
    }
    return { kind: 'answered', status: response?.statusCode ?? 0, body: parseJson(text) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'forbidden' };
    return { kind: code === 'ABORT_ERR' ? 'silent' : 'gone' };
  } finally {
    address?.close();
  }
}
