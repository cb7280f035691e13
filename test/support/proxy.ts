/** Proxies on loopback, and the agents that programs use for them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';

/** What a proxy does with a connection. */
export type ProxyBehaviour = (socket: Socket, firstBytes: Buffer) => void;

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** The connections that are open. */
  readonly open: ReadonlySet<Socket>;
  /** The first bytes of each connection. */
  readonly asked: readonly string[];
  /** Emits `asked` when a client has said what it wants, and `closed` when a connection has closed. */
  readonly server: Server;
}

/** Starts a proxy on a port of its own. */
export async function startProxy(behaviour: ProxyBehaviour): Promise<TestProxy> {
  const open = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      server.emit('closed');
    });
    socket.once('data', (bytes) => {
      asked.push(bytes.toString('latin1'));
      behaviour(socket, bytes);
      server.emit('asked');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open,
    asked,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Never answers. */
export const silent: ProxyBehaviour = (socket) => void socket.resume();

/** Refuses each CONNECT with a status line. */
export const refusing =
  (status: string): ProxyBehaviour =>
  (socket) =>
    void socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);

/** Opens the tunnel that a CONNECT asks for, always to the same port of loopback. */
export const tunnelTo =
  (port: number): ProxyBehaviour =>
  (socket) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(upstream).pipe(socket);
  };

/** Forwards requests for whole URLs, as plain HTTP goes through a proxy, always to the same port of loopback. */
export const forwardTo =
  (port: number): ProxyBehaviour =>
  (socket, firstBytes) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    const withPath = (bytes: Buffer) => bytes.toString('latin1').replace(/^POST http:\/\/[^/]+/, 'POST ');
    upstream.write(withPath(firstBytes), 'latin1');
    socket.on('data', (bytes) => upstream.write(withPath(bytes), 'latin1'));
    upstream.pipe(socket);
  };

export const PROXY_USER = 'ann';
export const PROXY_PASSWORD = 'p4ss-of-the-proxy';

/** Agents for the proxy, with user and password. */
export const proxyAgents = {
  CONNECT: (port: number) => new HttpsProxyAgent(`http://${PROXY_USER}:${PROXY_PASSWORD}@127.0.0.1:${port}`),
  SOCKS: (port: number) => new SocksProxyAgent(`socks5h://${PROXY_USER}:${PROXY_PASSWORD}@127.0.0.1:${port}`),
} as const;
