/** An HTTP server on the loopback interface, whose connections can be silenced, reset or refused. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const HOST = '127.0.0.1';
/** How long Telegram's server keeps an idle connection open. */
const IDLE_CONNECTION_MS = 500_000;
/** The largest body, with room for the largest file that Telegram's cloud server accepts (50 MB). */
const MAX_BODY_BYTES = 52_000_000;

/** Handles a request whose body is complete. */
export type Handler = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

export class HttpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #silent = new WeakSet<Socket>();
  /** Connections of the control API, which are exempt from faults. */
  readonly #exempt = new WeakSet<Socket>();
  #port = 0;

  constructor(handler: Handler) {
    this.#server = createServer((request, response) => this.#receive(request, response, handler));
    this.#server.keepAliveTimeout = IDLE_CONNECTION_MS;
    this.#server.requestTimeout = 0;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // A client that resets its connection or does not speak HTTP must not affect others.
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return this.#port;
  }

  /** Listens on a port; 0 stands for any free port. Rejects if the port is in use. */
  async listen(port: number): Promise<void> {
    this.#server.listen({ port, host: HOST, exclusive: true });
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
  }

  /** Exempts the connection of a request from faults. */
  exempt({ socket }: ServerResponse): void {
    if (socket) this.#exempt.add(socket);
  }

  isSilent({ socket }: ServerResponse): boolean {
    return socket !== null && this.#silent.has(socket);
  }

  /** Ignores everything that arrives on the open connections from now on, and sends nothing on them. */
  silenceAll(): void {
    for (const socket of this.#sockets) if (!this.#exempt.has(socket)) this.#silent.add(socket);
  }

  /** Stops listening and resets all connections that are not exempt. */
  stopListening(): void {
    this.#server.close();
    for (const socket of this.#sockets) if (!this.#exempt.has(socket)) socket.resetAndDestroy();
  }

  /** Listens on the same port again. Rejects if another program has taken the port in the meantime. */
  async resumeListening(): Promise<void> {
    if (!this.#server.listening) await this.listen(this.#port);
  }

  /** Closes the port and destroys all connections at once. */
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
      if (size > MAX_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (!this.isSilent(response)) handler(request, Buffer.concat(chunks), response);
    });
    // A request that was cut off is ignored.
    request.on('error', () => {});
    response.on('error', () => {});
  }
}
