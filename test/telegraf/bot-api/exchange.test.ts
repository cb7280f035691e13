import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { type Handler, html, json, ok, serve } from './server.js';

describe('a connection', () => {
  const half = '{"ok":true,"result":[{"update_id":7';
  it.each<[string, Handler, string]>([
    [
      'a body of known length is cut off in order',
      (response) => {
        response.writeHead(200, { 'content-length': 1000 }).write(half, () => response.socket?.end());
      },
      'cut',
    ],
    [
      'a body of known length is cut off by a reset',
      (response) => {
        response
          .writeHead(200, { 'content-length': 1000 })
          .write(half, () => response.socket?.resetAndDestroy());
      },
      'cut',
    ],
    [
      'a body in chunks is cut off',
      (response) => {
        response.writeHead(200).write(half, () => response.socket?.end());
      },
      'cut',
    ],
    [
      'a body that lasts as long as the connection is cut off',
      (response) => {
        response.socket?.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${half}`);
      },
      'not-json',
    ],
    [
      'the connection is reset before an answer',
      (response) => void response.socket?.resetAndDestroy(),
      'network',
    ],
    ['the connection ends before an answer', (response) => void response.socket?.end(), 'network'],
    [
      'the head of the answer is cut off',
      (response) => void response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le'),
      'network',
    ],
    ['the answer is no HTTP', (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'), 'network'],
  ])('is not waited for when %s', async (_, handler, why) => {
    const t = await serve(handler);
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why });
    expect(t.received).toHaveLength(1);
  });

  it('that nobody takes is told by its cause', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const t = await serve(ok, { apiRoot: `http://127.0.0.1:${port}` });
    expect(await t.poll()).toEqual({
      kind: 'unreachable',
      why: 'network',
      detail: `connect ECONNREFUSED 127.0.0.1:${port}`,
    });
  });

  it('is kept for the next call after an ok answer', async () => {
    const t = await serve(ok);
    for (let i = 0; i < 3; i++) expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection }) => connection)).toEqual([1, 1, 1]);
  });

  it.each<[string, Handler]>([
    ['a conflict', json({ ok: false, error_code: 409, description: 'Conflict' }, 409)],
    ['a 502', html(502)],
    ['HTML', html(200)],
    ['a wrong result', json({ ok: true, result: 1 })],
    ['a redirect', (response) => response.writeHead(302).end()],
  ])('is given up after %s', async (_, handler) => {
    const t = await serve((response, request) => (request.turn === 2 ? handler : ok)(response, request));
    await t.poll();
    const socket = t.sockets[0] as Socket;
    const closed = once(socket, 'close');
    expect(await t.poll()).not.toMatchObject({ kind: 'ok' });
    await closed;
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it('that was idle and is dead is replaced at once, unasked', async () => {
    const t = await serve((response, request) => {
      if (request.connection === 1 && request.turn === 2) response.socket?.resetAndDestroy();
      else ok(response, request);
    });
    await t.poll();
    expect(await t.poll()).toMatchObject({ kind: 'ok' });
    expect(t.received.map(({ connection, turn }) => [connection, turn])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  it('that has begun to answer is not replaced unasked', async () => {
    const t = await serve((response, request) => {
      if (request.turn === 2) response.socket?.end('HTTP/1.1 200 OK\r\nContent-Le');
      else ok(response, request);
    });
    await t.poll();
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'network' });
    expect(t.received).toHaveLength(2);
  });

  it('is closed with the client', async () => {
    const t = await serve(ok);
    await t.poll();
    const closed = once(t.sockets[0] as Socket, 'close');
    t.api.close();
    await closed;
  });
});

describe('a body', () => {
  it.each<[string, (body: string) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('that is packed as %s, unasked, is unpacked, and kept so', async (encoding, pack) => {
    const t = await serve((response) =>
      response
        .writeHead(200, { 'content-encoding': encoding })
        .end(pack('{"ok":true,"result":[{"update_id":7}]}')),
    );
    const answer = await t.poll();
    expect(answer).toEqual({ kind: 'ok', result: [{ update_id: 7 }] });
    if (answer.kind === 'ok')
      expect(String(t.api.received(answer.result))).toBe('{"ok":true,"result":[{"update_id":7}]}');
  });

  it.each([
    ['gzip', 'gzip'],
    ['zstd', 'unknown content-encoding zstd'],
  ])('that cannot be unpacked is told by its encoding: %s', async (encoding, words) => {
    const t = await serve((response) => response.writeHead(200, { 'content-encoding': encoding }).end('{}'));
    expect(await t.poll()).toMatchObject({ why: 'not-json', detail: expect.stringContaining(words) });
  });

  it('that never ends is broken off before it fills the memory', async () => {
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    const t = await serve((response) => {
      const pump = () => {
        while (response.write(chunk)) if (response.destroyed) return;
      };
      response.on('drain', pump);
      pump();
    });
    expect(await t.poll()).toMatchObject({ kind: 'unreachable', why: 'not-json' });
  });
});
