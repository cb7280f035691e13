import { once } from 'node:events';
import https from 'node:https';
import { createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Authority, type Credentials, createAuthority } from '../../support/certificates.js';
import { type FrontBehaviour, startTlsFront } from '../../support/tls-front.js';
import { cleanups, type Handler, hang, ok, serve, TOKEN } from './server.js';

const authority: Authority = createAuthority();
const good = authority.issue();
afterAll(() => authority[Symbol.dispose]());

const BODY = '{"ok":true,"result":[{"update_id":7}]}';

/** A front with a path of its own, a server behind it, and the client under test, which knows the authority. */
async function serveBehindTls(
  handler: Handler = ok,
  { credentials = good, isTrusted = true, behaviour = undefined as FrontBehaviour | undefined } = {},
) {
  const front = await startTlsFront(credentials);
  front.behaviour = behaviour;
  cleanups.push(() => front[Symbol.asyncDispose]());
  const agent = new https.Agent({ keepAlive: true, ...(isTrusted && { ca: authority.cert }) });
  const t = await serve(handler, { apiRoot: `https://127.0.0.1:${front.port}/tg/`, agent });
  front.upstreamPort = Number(new URL(t.root).port);
  return { ...t, front };
}

describe('a server behind a TLS front', () => {
  it('is asked below the path of the API root, on one connection', async () => {
    const t = await serveBehindTls();
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ url }) => url)).toEqual(Array(2).fill(`/tg/bot${TOKEN}/getUpdates`));
    expect(t.front.connections).toHaveLength(1);
  });

  it('is named where it is asked in clear', async () => {
    const { front } = await serveBehindTls();
    const t = await serve(ok, { apiRoot: `http://127.0.0.1:${front.port}` });
    expect(await t.poll()).toMatchObject({ why: 'network', detail: expect.stringContaining('https://?') });
  });

  it('may compress its answers', async () => {
    const t = await serveBehindTls((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(BODY)),
    );
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
  });

  it.each([307, 308])('may redirect a poll with %s to another front', async (status) => {
    const target = await serveBehindTls();
    const t = await serveBehindTls((response, { url }) =>
      response.writeHead(status, { location: `https://127.0.0.1:${target.front.port}${url}` }).end(),
    );
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(target.received[0]).toMatchObject({ url: t.received[0]?.url, body: t.received[0]?.body });
  });

  it('may not redirect a poll to an address in clear', async () => {
    const target = await serve(ok);
    const t = await serveBehindTls((response, { url }) =>
      response.writeHead(308, { location: `${target.root}${url}` }).end(),
    );
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'http' });
    expect(target.received).toEqual([]);
  });
});

describe('a certificate', () => {
  it.each<[string, () => Credentials, boolean, string]>([
    ['by an authority that nobody knows', () => good, false, 'name its file in NODE_EXTRA_CA_CERTS'],
    ['that nobody has signed', () => authority.selfSigned(), false, 'name its file in NODE_EXTRA_CA_CERTS'],
    [
      'for another host',
      () => authority.issue({ names: 'DNS:portal.test' }),
      true,
      'a login page of the network may be in between',
    ],
    ['out of date', () => authority.issue({ days: 0 }), true, 'certificate is out of date'],
  ])('%s is told in words, and another may be there at the next try', async (_, bad, isTrusted, words) => {
    const t = await serveBehindTls(ok, { credentials: bad(), isTrusted });
    for (let attempt = 0; attempt < 2; attempt++)
      expect(await t.poll()).toMatchObject({
        kind: 'unreachable',
        why: 'network',
        detail: expect.stringContaining(words),
      });
    expect(t.received).toEqual([]);
    if (!isTrusted) return;
    t.front.server.setSecureContext(good);
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
  });
});

describe('a TLS connection', () => {
  it('that is cut in its handshake is told, and tried again', async () => {
    const t = await serveBehindTls();
    t.front.server.prependOnceListener('connection', (socket) => socket.destroy());
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'network' });
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
  });

  it('whose handshake never ends is given up by name, and closed', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => server.emit('greeted', socket));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const { port } = server.address() as { port: number };
    const t = await serve(ok, { apiRoot: `https://127.0.0.1:${port}` });
    const poll = t.poll();
    const [socket] = await once(server, 'greeted');
    await t.clock.advance(15_000);
    expect(await poll).toMatchObject({
      why: 'timeout',
      detail: `getUpdates: no end of the TLS handshake within 15 s from 127.0.0.1:${port}`,
    });
    if (!socket.destroyed) await once(socket, 'close');
  });

  const cutAfter =
    (text: string): FrontBehaviour =>
    (socket) =>
      void socket.once('data', () => socket.write(text, () => socket.destroy()));

  it.each([
    ['before the answer', '', 'network'],
    ['in the head', 'HTTP/1.1 200 OK\r\ncontent-le', 'network'],
    ['in the body', `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n{"ok":tr`, 'cut'],
    ['in a body in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n{"ok":tr\r\n', 'cut'],
  ])('that is cut %s is told at once, and tried again', async (_, text, why) => {
    const t = await serveBehindTls(ok, { behaviour: cutAfter(text) });
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why });
    t.front.behaviour = undefined;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
  });

  it('that is half open is given up after the limit, and closed', async () => {
    const t = await serveBehindTls(hang);
    const poll = t.poll();
    await once(t.server, 'received');
    await t.clock.advance(60_000);
    expect(await poll).toMatchObject({
      why: 'timeout',
      detail: expect.stringContaining('no answer within 60 s'),
    });
    const [connection] = t.front.connections as [TLSSocket];
    if (!connection.destroyed) await once(connection, 'close');
  });

  it('resumes the session of the one before', async () => {
    const t = await serveBehindTls();
    await t.poll();
    t.front.connections[0]?.destroy();
    await t.poll();
    expect(t.front.connections.map((connection) => connection.isSessionReused() === true)).toEqual([
      false,
      true,
    ]);
  });

  it.each<[string, (connection: TLSSocket) => void]>([
    ['while it was idle', (connection) => connection.end()],
    ['as the next request comes', (connection) => connection.once('data', () => connection.destroy())],
  ])('that the other side has closed %s is replaced unasked', async (_, close) => {
    const t = await serveBehindTls();
    await t.poll();
    const [connection] = t.front.connections as [TLSSocket];
    connection.unpipe();
    close(connection);
    connection.resume();
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.front.connections).toHaveLength(2);
  });
});
