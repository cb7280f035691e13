/** Speaks with the server: its events come, and what a person does goes. */

import type { News } from '../page-protocol.js';
import { notice } from './notices.js';

/** Follows the events of a bot; without its id, those of the bot that has called last. Returns a function that ends it. */
export function follow(
  bot: number | undefined,
  take: (news: News, isSnapshot: boolean) => void,
  onConnection: (isOpen: boolean) => void,
): () => void {
  const source = new EventSource(`/sandbox/events${bot === undefined ? '' : `?bot=${bot}`}`);
  source.addEventListener('snapshot', ({ data }) => take(JSON.parse(data), true));
  source.addEventListener('changes', ({ data }) => take(JSON.parse(data), false));
  source.addEventListener('open', () => onConnection(true));
  source.addEventListener('error', () => onConnection(false));
  return () => source.close();
}

type Answer = Readonly<Record<string, unknown>>;

/** Sends a request, and shows what is wrong with it. Resolves to undefined if it was refused or did not arrive. */
async function send(path: string, method: string, body?: BodyInit): Promise<Answer | undefined> {
  try {
    const response = await fetch(path, { method, ...(body !== undefined && { body }) });
    const answer: Answer = await response.json();
    if (typeof answer['error'] === 'string') {
      notice(answer['error'], 'bad');
      return undefined;
    }
    if (typeof answer['dropped'] === 'string') notice(answer['dropped'], 'bad');
    return answer;
  } catch {
    notice('The server cannot be reached. If it refuses connections, that ends by itself.', 'bad');
    return undefined;
  }
}

export class Server {
  /** The bot that the page shows. */
  bot: number | undefined;

  act(action: string, fields: object = {}): Promise<Answer | undefined> {
    return send(this.#path(action), 'POST', JSON.stringify(fields));
  }

  sendFile(file: File, fields: Readonly<Record<string, string>>): Promise<Answer | undefined> {
    return send(this.#path('file', { ...fields, name: file.name || 'file', type: file.type }), 'POST', file);
  }

  addFault(rule: object): Promise<Answer | undefined> {
    return send('/sandbox/faults', 'POST', JSON.stringify(rule));
  }

  removeFault(id: number): Promise<Answer | undefined> {
    return send(`/sandbox/faults?id=${id}`, 'DELETE');
  }

  /** The address of a file that was sent. */
  fileUrl(id: string): string {
    return this.#path('file', { id });
  }

  #path(action: string, fields: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams({ ...fields, ...(this.bot !== undefined && { bot: `${this.bot}` }) });
    return `/sandbox/page/${action}?${query}`;
  }
}
