/** A server on loopback that the client under test talks to. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect } from '@jest/globals';
import type { CallOptions } from '../../../src/polling/bot-api.js';
import { createBotApi, type TelegramClient } from '../../../src/telegraf/bot-api/bot-api.js';
import { FakeClock } from '../../support/fake-clock.js';

export const SECRET = 'AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc';
export const TOKEN = `123456:${SECRET}`;
export const reason = new Error('stop');

export type Handler = (response: http.ServerResponse, request: Received) => void;

interface Received {
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly socket: Socket;
  /** The number of the connection it came on, from 1. */
  readonly connection: number;
  /** The number of the request on its connection, from 1. */
  readonly turn: number;
}

/** Called in reverse order after each test. */
export const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server on loopback that answers as it is told, and the client under test, on a clock that stands still. */
export async function serve(handler: Handler, options: Partial<TelegramClient['options']> = {}) {
  const received: Received[] = [];
  const sockets: Socket[] = [];
  const turns = new Map<Socket, number>();
  const server = http.createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const turn = (turns.get(request.socket) ?? 0) + 1;
    turns.set(request.socket, turn);
    const { url = '', headers, socket } = request;
    const connection = sockets.indexOf(socket) + 1;
    received.push({ url, headers, socket, connection, turn, body: Buffer.concat(chunks).toString() });
    server.emit('received');
    handler(response, received.at(-1) as Received);
  });
  server.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clock = new FakeClock();
  const api = createBotApi(
    { token: TOKEN, options: { apiRoot: root, apiMode: 'bot', testEnv: false, ...options } },
    clock,
  );
  cleanups.push(async () => {
    api.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    expect(clock.pending).toBe(0);
  });
  const controller = new AbortController();
  const callOptions: CallOptions = { signal: controller.signal, answerWithinMs: 60_000 };
  return {
    api,
    clock,
    controller,
    server,
    sockets,
    received,
    root,
    poll: (options: Partial<CallOptions> = {}) =>
      api.getUpdates(
        { offset: 7, timeoutSeconds: 50, limit: 100, allowedUpdates: ['message'] },
        { ...callOptions, ...options },
      ),
    options: callOptions,
  };
}

export const json = (body: unknown, status = 200): Handler => {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
export const html =
  (status: number): Handler =>
  (response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end(`<h1>/bot${TOKEN}/getUpdates</h1>`);
export const ok = json({ ok: true, result: [{ update_id: 7 }] });
export const hang: Handler = () => {};
