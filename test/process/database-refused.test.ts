/** A database that refuses, or is not there: what the daemon says, and how it ends. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
let sandbox: TestBed;
const folder = new Folder();
beforeAll(async () => {
  server = await PostgresServer.start();
  sandbox = await openSandbox();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await server.stop();
  folder[Symbol.dispose]();
});

it.each([
  ['a variable', (url: string) => ({ INBOX: url })],
  ['a file', (url: string) => ({ INBOX_FILE: folder.write('url', `${url}\n`) })],
  [
    "systemd's credentials",
    (url: string) => ({ CREDENTIALS_DIRECTORY: dirname(folder.write('inbox', url)) }),
  ],
])('ends with 78 where the password, of %s, is wrong, and shows it nowhere', async (_, envOf) => {
  const env = envOf(server.url('postgres', { password: 'a-wrong-password' }));
  await using daemon = runBot(sandbox, 'uneven', { env });
  expect((await daemon.exited).code).toBe(78);
  expect(daemon.output).toContain('password authentication failed for user');
  expect(daemon.output).toContain('INBOX_DATABASE_REFUSED');
  expect(daemon.receipt).toMatchObject({ exitCode: 78 });
  expect(daemon.output).not.toContain('a-wrong-password');
});

it('ends with 78 where the tables need a newer lastcall, while those go on that work on them', async () => {
  const INBOX = await server.createDatabase();
  const setVersion = (least: number) =>
    server.query(
      `update lastcall.version set version = 99, least = ${least}`,
      new URL(INBOX).pathname.slice(1),
    );
  await using working = runBot(sandbox, 'uneven', { env: { INBOX } });
  await working.waitFor('poll.started');
  await setVersion(99);
  {
    await using refused = runBot(sandbox, 'uneven', { env: { INBOX } });
    expect((await refused.exited).code).toBe(78);
    expect(refused.output).toContain('INBOX_SCHEMA_NEWER');
    expect(refused.output).toContain('need a lastcall that knows version 99');
  }
  await sandbox.ask('and you?');
  // A step that only adds leaves the version before at work.
  await setVersion(1);
  await using beside = runBot(sandbox, 'uneven', { env: { INBOX } });
  await beside.waitFor('inbox.standing-by');
  expect(await working.stop()).toMatchObject({ code: 0 });
  await beside.waitFor('poll.started');
  await sandbox.ask('and now?');
  expect(await beside.stop()).toMatchObject({ code: 0 });
});

it('waits for a database that is away, says so, and stops at once when asked to', async () => {
  const INBOX = await server.createDatabase();
  await server.halt();
  await using daemon = runBot(sandbox, 'uneven', { env: { INBOX } });
  await daemon.waitFor('inbox.unreachable');
  expect(await daemon.stop()).toMatchObject({ code: 0 });
  expect(daemon.output).not.toContain(new URL(INBOX).password);
  await server.start();
});
