/**
 * A bot that changes its inbox between a journal and a database, with both kinds of process on one host: never do two of
 * different kinds poll together, and what the journal held comes along.
 */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Daemon, spawnDaemon } from '../support/daemon.js';
import { allAnswered, mishaps, noMishaps, openSandbox, runBot, type TestBed } from '../support/delivery.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(() => server.stop());

const CHATS = 10;

const sayInAllChats = (sandbox: TestBed): void => {
  for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `m ${chat} {n}`, count: 2 });
};

const hasPolled = (daemon: Daemon) => daemon.events().some((event) => event.startsWith('poll.'));

it('lets processes with a database wait for one with a journal, and the other way round', async () => {
  await using sandbox = await openSandbox();
  const INBOX = await server.createDatabase();
  const withJournal = () => runBot(sandbox, 'echo');
  const withDatabase = () => runBot(sandbox, 'echo', { env: { INBOX } });

  await using journal = withJournal();
  await journal.waitFor('poll.started');
  await using database = withDatabase();
  expect(await database.waitFor('lock.waiting')).toMatchObject({ holder: journal.child.pid });
  sayInAllChats(sandbox);
  await allAnswered(sandbox);
  expect(hasPolled(database)).toBe(false);
  expect(await journal.stop()).toMatchObject({ code: 0 });
  await database.waitFor('poll.started');
  expect(database.events()).not.toContain('journal.unused');

  await using beside = withDatabase();
  await beside.waitFor('inbox.standing-by');
  expect(beside.events()).not.toContain('lock.waiting');
  await using journalAgain = withJournal();
  await journalAgain.waitFor('lock.waiting');
  // It may have waited for the first of the two.
  expect(await database.stop()).toMatchObject({ code: 0 });
  await beside.waitFor('poll.started');
  sayInAllChats(sandbox);
  await allAnswered(sandbox);
  expect(hasPolled(journalAgain)).toBe(false);
  expect(await beside.stop()).toMatchObject({ code: 0 });
  await journalAgain.waitFor('poll.started');
  sayInAllChats(sandbox);
  await allAnswered(sandbox);
  expect(await journalAgain.stop()).toMatchObject({ code: 0 });

  expect(sandbox.state().conflicts).toBe(0);
  expect(mishaps(sandbox)).toEqual(noMishaps);
});

it('says what is left in the journal of a process that was killed, and handles it once it is moved', async () => {
  await using sandbox = await openSandbox();
  const INBOX = await server.createDatabase();
  await using journal = runBot(sandbox, 'held', { ipc: true });
  await journal.waitFor('poll.started');
  for (let chat = 1; chat <= CHATS; chat++) sandbox.say({ chat, text: `slow ${chat} {n}`, count: 2 });
  // All of it is in the journal, and stays there.
  await sandbox.waitFor(() => sandbox.state().queued === 0);
  await using first = runBot(sandbox, 'echo', { env: { INBOX } });
  await first.waitFor('lock.waiting');
  await journal.stop('SIGKILL');
  await first.waitFor('poll.started');
  expect(await first.waitFor('journal.unused')).toMatchObject({ updates: 2 * CHATS, dead: 0 });
  expect(sandbox.unanswered).toBe(2 * CHATS);
  expect(await first.stop()).toMatchObject({ code: 0 });

  const env = { STATE_DIR: sandbox.stateDir, INBOX };
  await using move = spawnDaemon({ args: ['inbox', 'move', 'database'], env });
  expect(await move.end()).toMatchObject({ code: 0 });
  await using second = runBot(sandbox, 'echo', { env: { INBOX } });
  await allAnswered(sandbox);
  expect(await second.stop()).toMatchObject({ code: 0 });
  expect(sandbox.state().conflicts).toBe(0);
  expect(mishaps(sandbox)).toEqual(noMishaps);
});
