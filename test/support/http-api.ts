/** A Bot API of a test's own making, which answers each request as the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Called when a request has been received whole. */
export type Respond = (response: ServerResponse, received: ReceivedRequest) => void;

export const respondOk: Respond = (response) => response.end('{"ok":true,"result":{"message_id":7}}');

export interface HttpApi {
  readonly apiRoot: string;
  /** Every request that was received whole. */
  readonly received: readonly ReceivedRequest[];
  /** Resolves with the first request. */
  readonly asked: Promise<IncomingMessage>;
}

const servers: Server[] = [];

/** Starts one on a port of its own. To be ended by {@link closeHttpApis}. */
export async function startHttpApi(respond: Respond = respondOk): Promise<HttpApi> {
  const received: ReceivedRequest[] = [];
  let tell: (request: IncomingMessage) => void = () => {};
  const asked = new Promise<IncomingMessage>((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    tell(request);
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body });
      respond(response, { method, url, headers, body });
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { apiRoot: `http://127.0.0.1:${port}`, received, asked };
}

/** Ends all that were started, with their connections: to be called behind every test, also one that has failed. */
export async function closeHttpApis(): Promise<void> {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Whether a request was made by Telegraf's own client, rather than by lastcall's plain call. */
export const isByTelegraf = ({ headers }: Pick<ReceivedRequest, 'headers'>): boolean =>
  headers['user-agent']?.startsWith('node-fetch') ?? false;
