/**
 * Listens on a Unix socket in a bot's folder, for HTTP: `curl --unix-socket …/status.sock http://bot/status`. Only the bot's
 * user and root may connect. Nothing here keeps the process alive.
 */
import { once } from 'node:events';
import { chmodSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { parseJson } from '../../json.js';
import { makeFolder } from '../../make-folder.js';
import { codeOf } from '../../system-error.js';
import { isSocketName, SOCKET } from './socket-name.js';
import { type SocketPath, socketPath } from './socket-path.js';

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

export interface ServerOptions {
  readonly folder: string;
  /** The names to try in this order: the first that no other process listens at is taken. */
  readonly names: readonly string[];
  /** Answers a request, by method and path (`GET /status`), and what was sent as JSON, if anything. May throw. */
  answer(request: string, body: unknown): Answer;
  /** Masks secrets in the text of an answer. */
  redact(text: string): string;
}

const MAX_CONNECTIONS = 16;
const MAX_BODY_BYTES = 4_096;
const REQUEST_WITHIN_MS = 5_000;
/** A younger socket may be about to get its listener. */
const STALE_AFTER_MS = 1_000;

export class StatusServer {
  readonly #options: ServerOptions;
  #listening: { readonly server: Server; readonly path: SocketPath } | undefined;
  #isClosed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Resolves once it listens, or was closed. Rejects with the system's error. */
  async listen(): Promise<void> {
    const { folder, names } = this.#options;
    let reason: unknown;
    for (const name of names) {
      try {
        await this.#listenAt(name);
        if (name === SOCKET) await removeStale(folder);
        return;
      } catch (error) {
        reason = error;
        if (codeOf(error) !== 'EADDRINUSE') break;
      }
    }
    throw reason;
  }

  /** Removes the socket and ends all connections, at once. */
  close(): void {
    this.#isClosed = true;
    const { server, path } = this.#listening ?? {};
    this.#listening = undefined;
    server?.close();
    server?.closeAllConnections();
    path?.close();
  }

  async #listenAt(name: string): Promise<void> {
    const { folder } = this.#options;
    // A process that stands by may keep its state elsewhere than the one that runs the bot.
    makeFolder(folder);
    const path = socketPath(folder, name);
    try {
      const server = await this.#tryTwice(path.address);
      if (this.#isClosed) {
        server.close();
        path.close();
      } else this.#listening = { server, path };
    } catch (error) {
      path.close();
      throw error;
    }
  }

  /** The second time, without the socket of a run that was killed. */
  async #tryTwice(address: string): Promise<Server> {
    try {
      return await this.#bind(address);
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || (await isAnswered(address))) throw error;
      unlinkSync(address);
      return this.#bind(address);
    }
  }

  async #bind(address: string): Promise<Server> {
    const server = createServer(
      { requestTimeout: REQUEST_WITHIN_MS, headersTimeout: REQUEST_WITHIN_MS },
      (request, response) => void this.#respond(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => socket.unref());
    // In pm2's cluster mode, the primary process would listen in place of this one.
    server.listen({ path: address, exclusive: true });
    server.unref();
    await once(server, 'listening');
    server.on('error', () => {});
    try {
      chmodSync(address, 0o600);
    } catch (error) {
      server.close();
      throw error;
    }
    return server;
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { answer, redact } = this.#options;
    response.on('error', () => {});
    try {
      const body = await bodyOf(request);
      const { pathname } = new URL(request.url ?? '', 'http://bot');
      const { status, body: content } = answer(`${request.method} ${pathname}`, body);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(redact(`${JSON.stringify(content)}\n`));
    } catch {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  }
}

/** Removes the sockets of processes that stood by and were killed. */
async function removeStale(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((one) => isSocketName(one) && one !== SOCKET)) {
    const path = socketPath(folder, name);
    try {
      const ageMs = Date.now() - lstatSync(path.address).mtimeMs;
      if (ageMs > STALE_AFTER_MS && !(await isAnswered(path.address))) unlinkSync(path.address);
    } catch {
      // Another process has removed it first.
    } finally {
      path.close();
    }
  }
}

/** Whether a process listens at the address; true in doubt. */
async function isAnswered(address: string): Promise<boolean> {
  const socket = connect(address).unref();
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

/** Rejects where the body is too long, or no JSON. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too long');
    chunks.push(part);
  }
  return bytes === 0 ? undefined : parseJson(Buffer.concat(chunks).toString());
}
