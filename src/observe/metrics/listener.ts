/**
 * Listens for HTTP at the address of METRICS. Where the address is taken, by the process that this one takes over from
 * perhaps, it tries again, and the bot runs all the same. Nothing here keeps the process alive.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { foreignOrigin, type OtherHosts } from '../../request-origin.js';
import { codeOf } from '../../system-error.js';
import { describeThrown } from '../../thrown.js';

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0 stands for any free port. */
  readonly port: number;
  /** Whether only this machine can reach the address: then requests for other hosts are refused. */
  readonly isLoopback: boolean;
  readonly clock: Clock;
  /** Answers a request for a path. May reject. */
  answer(path: string): Promise<Answer>;
  /** It listens, at this address. */
  listening(address: string): void;
  /** It cannot listen yet; told once. */
  unavailable(error: unknown): void;
}

const MAX_CONNECTIONS = 16;
const REQUEST_WITHIN_MS = 5_000;
const RETRY_AFTER_MS = 2_000;

/** Why an address may be free, or there, a little later: another process has it, or its network is not up yet. */
const passing: ReadonlySet<string | undefined> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);

/** Other machines know this one by names that nobody here knows. */
const anyHost: OtherHosts = { includes: () => true, words: 'any other host' };

const plain = (status: number, text: string): Answer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});

export class MetricsListener {
  readonly #options: ListenerOptions;
  #server: Server | undefined;
  #cancelRetry = () => {};
  #isClosed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Resolves once it listens, or is to try again. Rejects with METRICS_ADDRESS where trying again would not help. */
  async listen(): Promise<void> {
    const { host, port, unavailable } = this.#options;
    try {
      await this.#bind();
    } catch (error) {
      if (!passing.has(codeOf(error))) {
        const words = `METRICS: nothing can listen at ${host}:${port}: ${describeThrown(error)}`;
        throw new LastcallError('METRICS_ADDRESS', 'METRICS', words, { cause: error });
      }
      unavailable(error);
      this.#retry();
    }
  }

  /** Ends all connections, at once. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  #retry(): void {
    if (this.#isClosed) return;
    this.#cancelRetry = this.#options.clock.after(RETRY_AFTER_MS, () => {
      this.#bind().catch(() => this.#retry());
    });
  }

  async #bind(): Promise<void> {
    const { host, port, listening } = this.#options;
    const server = createServer(
      {
        requestTimeout: REQUEST_WITHIN_MS,
        headersTimeout: REQUEST_WITHIN_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#respond(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.setTimeout(2 * REQUEST_WITHIN_MS);
    server.on('connection', (socket) => socket.unref());
    // In pm2's cluster mode, the primary process would listen in place of this one, and give requests to any of them.
    server.listen({ host, port, exclusive: true });
    server.unref();
    await once(server, 'listening');
    server.on('error', () => {});
    if (this.#isClosed) {
      server.close();
      return;
    }
    this.#server = server;
    listening(inUrl(server.address()));
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    request.resume();
    const { status, contentType, body } = await this.#answer(request).catch(() => plain(500, 'failed'));
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...(status === 405 && { allow: 'GET, HEAD' }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answer({ method, url = '', headers }: IncomingMessage): Promise<Answer> {
    const { isLoopback, answer } = this.#options;
    const refusal = foreignOrigin(headers, isLoopback ? undefined : anyHost);
    if (refusal !== undefined) return plain(403, refusal);
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD');
    return answer(url.split('?', 1)[0] ?? '');
  }
}

function inUrl(address: AddressInfo | string | null): string {
  if (typeof address !== 'object' || address === null) return '';
  const { address: host, port, family } = address;
  return family === 'IPv6' ? `[${host}]:${port}` : `${host}:${port}`;
}
