/** A move of which an earlier attempt is not over in the server, though who made it is gone. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { systemClock } from '../../../src/clock.js';
import { updateId } from '../../../src/inbox/ids.js';
import { openSession } from '../../../src/inbox/postgres/database.js';
import { migrate } from '../../../src/inbox/postgres/migrate.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import type { Session } from '../../../src/inbox/postgres/session.js';
import { importInbox, isMoveDone } from '../../../src/inbox/postgres/transfer.js';
import { PostgresServer } from '../../support/postgres.js';

let server: PostgresServer;
let session: Session;
let earlier: pg.Client;
beforeAll(async () => {
  server = await PostgresServer.start();
  const url = await server.createDatabase();
  session = await openSession({ connect: await createDriver(url), clock: systemClock });
  await migrate(session, { clock: systemClock });
  earlier = new pg.Client({ connectionString: url });
  await earlier.connect();
  await earlier.query("insert into lastcall.pollers (bot) values ('a bot')");
}, 60_000);
afterAll(async () => {
  await session.close();
  await earlier.end();
  await server.stop();
}, 20_000);

/** Does the work while a move with this id is about to be committed. */
async function besideMove<T>(id: string, work: () => Promise<T>): Promise<T> {
  await earlier.query(`begin; select from lastcall.pollers where bot = 'a bot' for update;
    insert into lastcall.moves (id, bot) values ('${id}', 'a bot')`);
  const done = work();
  const waits =
    "select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'lastcall'";
  for (let look = 0; look < 200 && (await server.query(waits)).length === 0; look++);
  await earlier.query('commit');
  return done;
}

test('adds nothing twice', async () => {
  const update = {
    updateId: updateId(1),
    content: '{"update_id":1}',
    acceptedAtMs: 0,
    attempts: 0,
    deaths: 0,
    cuts: 0,
    putBacks: 0,
    retries: 0,
    notBeforeMs: 0,
  };
  async function* all<T>(...items: T[]) {
    yield* items;
  }
  const inbox = { updates: all(update), letters: all<never>(), recent: [] };
  const reading = { keyOf: () => 'a key', groupOf: () => undefined, kindOf: () => 'message' };
  await besideMove('one', () => importInbox(session, 'a bot', 'one', inbox, reading));
  expect((await earlier.query('select from lastcall.updates')).rowCount).toBe(0);
});

test('is known to be done', async () => {
  expect(await besideMove('two', () => isMoveDone(session, 'a bot', 'two'))).toBe(true);
  expect(await isMoveDone(session, 'a bot', 'three')).toBe(false);
});
