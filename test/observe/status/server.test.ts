import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ask } from '../../../src/cli/status/ask.js';
import { type ServerOptions, StatusServer } from '../../../src/observe/status/server.js';
import { Folder } from '../../support/folder.js';

const SECRET = 'a-secret-of-some-length';

/** A server that closes with its test. */
async function listening(folder: Folder, options: Partial<ServerOptions> = {}) {
  const server = new StatusServer({
    folder: folder.path,
    names: ['status.sock', 'status-1.sock'],
    answer: (request, body) => ({ status: 200, body: { request, body, SECRET } }),
    redact: (text) => text.replaceAll(SECRET, '***'),
    ...options,
  });
  await server.listen();
  return Object.assign(server, { [Symbol.dispose]: () => server.close() });
}

/** Leaves the file of a socket, as a process does that is killed. */
async function leaveSocket(path: string): Promise<void> {
  const program = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  const { spawn } = await import('node:child_process');
  await once(spawn(process.execPath, ['-e', program, path]), 'exit');
}

describe('StatusServer', () => {
  it('answers in JSON, without secrets, on a socket for its user alone', async () => {
    using folder = new Folder();
    using _server = await listening(folder);
    expect(statSync(folder.file('status.sock')).mode & 0o777).toBe(0o600);
    const asked = await ask(folder.path, 'status.sock', 'POST', '/x?y=1', { level: 'debug' });
    const body = { request: 'POST /x', body: { level: 'debug' }, SECRET: '***' };
    expect(asked).toEqual({ kind: 'answered', status: 200, body });
  });

  it('survives an answer that fails, and a body that is too long', async () => {
    using folder = new Folder();
    using _server = await listening(folder, {
      answer(request) {
        if (request === 'GET /bad') throw new Error(SECRET);
        return { status: 200, body: 1 };
      },
    });
    expect(await ask(folder.path, 'status.sock', 'GET', '/bad')).toMatchObject({ status: 500 });
    const long = { text: 'x'.repeat(5_000) };
    expect(await ask(folder.path, 'status.sock', 'POST', '/', long)).not.toMatchObject({ status: 200 });
    expect(await ask(folder.path, 'status.sock', 'GET', '/')).toMatchObject({ status: 200 });
  });

  it('removes its socket when it closes, and answers no more', async () => {
    using folder = new Folder();
    const server = await listening(folder);
    server.close();
    server.close();
    expect(readdirSync(folder.path)).toEqual([]);
    expect(await ask(folder.path, 'status.sock', 'GET', '/')).toEqual({ kind: 'gone' });
  });

  it('opens nothing once it was closed', async () => {
    using folder = new Folder();
    const server = new StatusServer({
      folder: folder.path,
      names: ['status.sock'],
      answer: () => ({ status: 200, body: 1 }),
      redact: (text) => text,
    });
    const listens = server.listen();
    server.close();
    await listens;
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('takes the place of a run that was killed, and removes what others have left', async () => {
    using folder = new Folder();
    const stale = ['status.sock', 'status-77.sock'].map((name) => folder.file(name));
    for (const path of stale) {
      await leaveSocket(path);
      utimesSync(path, 0, 0);
    }
    using _server = await listening(folder);
    expect(await ask(folder.path, 'status.sock', 'GET', '/')).toMatchObject({ status: 200 });
    expect(readdirSync(folder.path)).toEqual(['status.sock']);
  });

  it('takes another name where a process listens', async () => {
    using folder = new Folder();
    const other = createServer().listen(folder.file('status.sock'));
    await once(other, 'listening');
    using _server = await listening(folder);
    expect(readdirSync(folder.path).sort()).toEqual(['status-1.sock', 'status.sock']);
    other.close();
  });

  it('makes the folder where there is none, for its user alone', async () => {
    using folder = new Folder();
    using _server = await listening(folder, { folder: folder.file('state', 'bot') });
    expect(statSync(folder.file('state', 'bot')).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder.file('state', 'bot'))).toEqual(['status.sock']);
  });

  it('rejects where there is no place for a socket', async () => {
    using folder = new Folder();
    mkdirSync(folder.file('status.sock'));
    await expect(listening(folder, { names: ['status.sock'] })).rejects.toMatchObject({
      code: expect.stringMatching(/^(EISDIR|EPERM)$/),
    });
  });

  it('tells a process that does not answer from one that is gone', async () => {
    using folder = new Folder();
    const silent = createServer().listen(folder.file('status.sock'));
    await once(silent, 'listening');
    expect(await ask(folder.path, 'status.sock', 'GET', '/')).toEqual({ kind: 'silent' });
    silent.close();
  });
});
