/**
 * The HTTP server on loopback, and what can go wrong with its connections: silent, refused, cut.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const HOST = '127.0.0.1';
/** How long the real server keeps an idle connection. */
const IDLE_CONNECTION_MS = 500_000;
/** The largest request the cloud server takes holds a file of 50 MB. */
const LARGEST_BODY_BYTES = 52_000_000;

/** Handles a request whose body is complete. */
export type Handler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

export class HttpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new WeakSet<Socket>();
  /** Connections that have carried requests of the control path; no fault touches them. */
  readonly #spared = new WeakSet<Socket>();
  #port = 0;

  constructor(handler: Handler) {
    this.#server = createServer((request, response) => this.#receive(request, response, handler));
    this.#server.keepAliveTimeout = IDLE_CONNECTION_MS;
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // A client that resets, or speaks no HTTP, is no concern of others.
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on any free port for 0. Rejects where the port is taken. */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port, host: HOST, exclusive: true }, () => {
        this.#server.off('error', reject);
        this.#port = addressOf(this.#server).port;
        resolve();
      });
    });
  }

  /** No fault shall touch the connection of this exchange. */
  spare({ socket }: ServerResponse): void {
    if (socket) this.#spared.add(socket);
  }

  isSilent({ socket }: ServerResponse): boolean {
    return socket !== null && this.#silent.has(socket);
  }

  /** From now on nothing that comes on a connection that now exists is heard, and nothing is said on it. */
  silenceAll(): void {
    for (const socket of this.#sockets) if (!this.#spared.has(socket)) this.#silent.add(socket);
  }

  /** Stops listening and resets every connection. */
  refuse(): void {
    this.#server.close();
    for (const socket of this.#sockets) if (!this.#spared.has(socket)) socket.resetAndDestroy();
  }

  /** Listens again, on the same port. Rejects where another program has taken it meanwhile. */
  async accept(): Promise<void> {
    if (!this.#server.listening) await this.listen(this.#port);
  }

  /** Closes the port and destroys every connection at once. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #receive(request: IncomingMessage, response: ServerResponse, handler: Handler): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (!this.isSilent(response))
        handler(request, chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), response);
    });
    // A request cut off on its way is no request.
    request.on('error', () => {});
    response.on('error', () => {});
  }
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new TypeError('the server does not listen on a TCP port');
  return address;
}
