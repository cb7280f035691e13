/** Serves the page: its files, its events, and what a person does there. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from '../api-response.js';
import { perform } from './actions.js';
import { streamEvents } from './event-stream.js';
import { serveSentFile } from './sent-files.js';
import { accountOf, type PageSource } from './source.js';
import { serveStaticFile } from './static-files.js';

export class PageServer {
  readonly #source: PageSource;

  constructor(source: PageSource) {
    this.#source = source;
  }

  /** Serves a request whose body is complete, and whose origin has been checked. Never rejects. */
  async serve(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
      const bot = searchParams.has('bot') ? Number(searchParams.get('bot')) : undefined;
      const account = () => accountOf(this.#source, bot);
      if (request.method === 'GET' && pathname === '/sandbox/events')
        streamEvents(this.#source, account(), response);
      else if (request.method === 'GET' && pathname === '/sandbox/page/file')
        serveSentFile(account(), searchParams.get('id') ?? '', response);
      else if (request.method === 'POST' && pathname.startsWith('/sandbox/page/')) {
        const action = pathname.slice('/sandbox/page/'.length);
        const result = await perform(action, searchParams, {
          source: this.#source,
          account: account(),
          body,
        });
        reply(response, 200, result);
      } else if (request.method === 'GET' || request.method === 'HEAD')
        await serveStaticFile(pathname, response);
      else reply(response, 405, { error: 'the page answers GET' });
    } catch (error) {
      const isRefusal = error instanceof RangeError || error instanceof ApiError || error instanceof URIError;
      const words = error instanceof Error ? error.message : `${error}`;
      if (response.headersSent) response.destroy();
      else reply(response, isRefusal ? 400 : 500, { error: words });
    }
  }
}

function reply(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(content)}\n`);
}
