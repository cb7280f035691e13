/** A front on loopback that ends TLS, as nginx does, and hands the bytes to a server behind it. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Credentials } from './certificates.js';

/** Handles the bytes of a connection in place of the server behind. */
export type FrontBehaviour = (socket: TLSSocket) => void;

export interface TlsFront extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
  /** All connections whose handshake has ended well, the oldest first. */
  readonly connections: readonly TLSSocket[];
  /** The server behind. */
  upstreamPort: number;
  /** Undefined: what comes is handed to the server behind. */
  behaviour: FrontBehaviour | undefined;
}

export async function startTlsFront(credentials: Credentials, upstreamPort = 0): Promise<TlsFront> {
  const connections: TLSSocket[] = [];
  const server = createServer(credentials, (socket) => {
    connections.push(socket);
    socket.on('error', () => {});
    if (front.behaviour) return front.behaviour(socket);
    const upstream = connect(front.upstreamPort, '127.0.0.1');
    upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  const open = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const front: TlsFront = {
    port: (server.address() as AddressInfo).port,
    server,
    connections,
    upstreamPort,
    behaviour: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of [...connections, ...open]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return front;
}
