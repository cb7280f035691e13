import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises as files, mkdtempSync, rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type OpenResources, ResourceWatch } from '../../../src/telegraf/takeover/open-resources.js';
import type { PendingTimer } from '../../../src/telegraf/takeover/program-timers.js';

const timer = (fields: Partial<PendingTimer> = {}): PendingTimer => ({
  id: {},
  callback: undefined,
  delayMs: 5_000,
  dueInMs: 5_000,
  repeats: false,
  isByPackage: false,
  ...fields,
});

/** What a program has open of which only the timers are made up. */
function watching(...pending: PendingTimer[]) {
  const watch = new ResourceWatch({ pending });
  const look = async (withinMs = 60_000): Promise<OpenResources> => {
    // What has called back is still listed while its callback runs.
    await turn();
    return watch.look(withinMs);
  };
  return { watch, pending, look };
}

describe('timers', () => {
  it('are work when they are short, and due in time', async () => {
    expect(await watching(timer()).look()).toMatchObject({ work: ['Timeout'] });
    expect((await watching(timer()).look(4_000)).work).toEqual([]);
    expect((await watching(timer({ delayMs: 30_001 })).look()).work).toEqual([]);
  });

  it('that are too late are named if they were there before', async () => {
    const { watch, look } = watching(timer({ delayMs: 3_600_000, dueInMs: 3_600_000 }));
    expect(await look()).toMatchObject({ others: ['Timeout'], planned: [] });
    watch.begin();
    expect(await look()).toMatchObject({ work: [], planned: ['Timeout'] });
  });

  it('that repeat are nothing to wait for if they were there before', async () => {
    const { watch, look } = watching(timer({ repeats: true }));
    expect(await look()).toMatchObject({ work: [], others: ['Timeout'] });
    watch.begin();
    expect(await look()).toMatchObject({ work: [], planned: [] });
    expect((await look()).others).not.toContain('Timeout');
  });

  it('repeat, too, when the same function is called by another timer', async () => {
    const callback = () => {};
    const { pending, look } = watching(timer({ callback }));
    expect((await look()).work).toEqual(['Timeout']);
    pending.splice(0, 1, timer({ callback }));
    expect((await look()).work).toEqual([]);
  });

  it('of a package are work unless there is a connection that they may look after', async () => {
    const { look } = watching(timer({ isByPackage: true }));
    expect((await look()).work).toEqual(['Timeout']);
    const server = createNetServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    expect((await look()).work).toEqual([]);
    socket.destroy();
    server.close();
  });
});

describe('other resources', () => {
  it('are work when they are files or child processes', async () => {
    const { look } = watching();
    // Opening a pipe waits for its other end, so this file operation lasts for as long as the test wants.
    const folder = mkdtempSync(join(tmpdir(), 'lastcall-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const opened = files.open(pipe, 'r');
    expect((await look()).work).toEqual([expect.stringMatching(/^FSReq/)]);
    const [reader, writer] = await Promise.all([opened, files.open(pipe, 'w')]);
    await reader.close();
    await writer.close();
    rmSync(folder, { recursive: true });
    const child = spawn('sleep', ['10']);
    expect((await look()).work).toContain('ProcessWrap');
    child.kill();
    await once(child, 'exit');
  });

  it.each([
    [
      'node:http',
      (url: string) =>
        new Promise((resolve) => {
          get(url)
            .on('error', () => {})
            .on('close', resolve);
        }),
    ],
    ['fetch', (url: string) => fetch(url).catch(() => {})],
  ])('are work while a request of %s waits for its answer', async (_, request) => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { look } = watching();
    const asked = once(server, 'request');
    const answer = request(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await asked;
    expect((await look()).work).toEqual(['TCPSocketWrap']);
    server.closeAllConnections();
    await answer;
    expect((await look()).work).toEqual([]);
    server.close();
  });

  it('are work while a server that is closed has an answer to give', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const asked = once(server, 'request');
    client.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: bot\r\n\r\n');
    await asked;
    const { look } = watching();
    expect((await look()).work).toEqual([]);
    const closed = once(server, 'close');
    server.close();
    expect((await look()).work).toEqual(['TCPSocketWrap']);
    client.destroy();
    await closed;
  });

  it('are work when they are connections on which the program sends', async () => {
    const server = createNetServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const { look } = watching();
    expect((await look()).work).toEqual([]);
    await new Promise((resolve) => socket.write('insert', resolve));
    expect((await look()).work).toEqual(['TCPSocketWrap']);
    expect((await look()).work).toEqual([]);
    socket.destroy();
    server.close();
  });

  it('simply stay open when they are servers, unless they were open before', async () => {
    // Servers of other tests may be closing.
    await turn();
    const { look } = watching();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    expect(await look()).toMatchObject({ work: [], others: ['TCPServerWrap'] });
    expect((await watching().look()).others).not.toContain('TCPServerWrap');
    server.close();
  });
});
