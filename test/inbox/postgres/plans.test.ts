/**
 * What the statements read. The planner knows the tables from when they were last looked at, which may have been when they
 * were empty; a statement that reads all lanes of a bot, or all its updates, would be the slower the more of them wait.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { backgroundClock } from '../../../src/clock.js';
import { Database } from '../../../src/inbox/postgres/database.js';
import { migrate } from '../../../src/inbox/postgres/migrate.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import type { Query } from '../../../src/inbox/postgres/queries.js';
import type { Session } from '../../../src/inbox/postgres/session.js';
import { change } from '../../../src/inbox/postgres/statements/changes.js';
import { claim } from '../../../src/inbox/postgres/statements/claims.js';
import { accept } from '../../../src/inbox/postgres/statements/intake.js';
import { PostgresServer } from '../../support/postgres.js';

let server: PostgresServer;
let database: Database;
beforeAll(async () => {
  server = await PostgresServer.start();
  const connect = await createDriver(await server.createDatabase());
  database = new Database({ connect, clock: backgroundClock });
  await database.open();
}, 60_000);
afterAll(async () => {
  await database.close();
  await server.stop();
});

const WAITING = 3_000;
/** How many lanes the process has, and how many it asks for. */
const OWN = 20;
/** What is read for one lane, by all parts of a statement together, and for the statement itself. */
const READ_FOR_A_LANE = 20;

async function fill(session: Session): Promise<void> {
  await session.query({
    text: `insert into updates (bot, update_id, key, kind, content)
      select 'a', n, 'chat ' || n, 'message', '{}' from generate_series(1, ${WAITING}) n`,
  });
  await session.query({
    text: `insert into lanes (bot, key, host, first, last, given)
      select bot, key, case when seq <= ${OWN} then 1 end, seq, seq, case when seq <= ${OWN} then seq else 0 end
      from updates`,
  });
}

/** The most rows that a part of the plan has read, those that it has left out included. */
function mostRows(plan: readonly string[]): number {
  const read = plan.map((line) => {
    const [, rows = 0, loops = 0] = /actual .*rows=([\d.]+) loops=(\d+)/.exec(line) ?? [];
    const [, left = 0] = /Rows Removed by .*: (\d+)/.exec(line) ?? [];
    return Number(rows) * Number(loops) + Number(left);
  });
  return Math.max(...read);
}

/** Runs a statement as the inbox does: prepared, and with all that its session sets. */
async function rowsRead(session: Session, { name, text }: Query<unknown>, values: string): Promise<number> {
  await session.query({ text: `prepare ${name}_of_test as ${text}` });
  const plan = await session.query({
    text: `explain (analyze) execute ${name}_of_test(${values})`,
    row: (row) => row.text('QUERY PLAN'),
  });
  return mostRows(plan);
}

test('a statement reads as many rows as it is about, whatever the planner believes', async () => {
  const { work } = database;
  await migrate(work, { clock: backgroundClock });
  for (const table of ['updates', 'lanes'])
    await work.query({ text: `alter table ${table} set (autovacuum_enabled = off)` });
  await work.query({ text: "insert into pollers (bot, host) values ('a', 1)" });
  await work.query({ text: "insert into hosts (bot, place, lease_ms) values ('a', 'here', 60000)" });
  await fill(work);
  await work.query({ text: `delete from lanes where first > 1` });
  await work.query({ text: `delete from updates where seq > 1` });
  // Now the planner believes that these large tables have hardly a row.
  await work.query({ text: 'analyze' });
  await work.query({ text: 'delete from lanes' });
  await work.query({ text: 'delete from updates' });
  await work.query({ text: 'alter table updates alter column seq restart' });
  await fill(work);
  const few = OWN * READ_FOR_A_LANE;
  const claimed = await rowsRead(work, claim, `1, ${OWN}, '{}', 16, 0, 100`);
  expect(claimed).toBeGreaterThanOrEqual(OWN);
  expect(claimed).toBeLessThan(few);
  const numbers = Array.from({ length: OWN }, (_, index) => index + 1);
  const own = `'{${numbers.join()}}'`;
  const keys = `'{${numbers.map((number) => `chat ${number}`).join()}}'`;
  const none = "'{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'";
  const changed = await rowsRead(work, change, `1, '{}', ${own}, ${none}, ${keys}, ${own}, ${own}, false`);
  expect(changed).toBeGreaterThanOrEqual(OWN);
  expect(changed).toBeLessThan(few);
  const batch = `'a', 0, 0, 5001, '[]', ${own}, ${keys}, ${keys}, ${keys}, rtrim(repeat(e'{}\\n', ${OWN}), e'\\n')`;
  const accepted = await rowsRead(work, accept, batch);
  expect(accepted).toBeGreaterThanOrEqual(OWN);
  expect(accepted).toBeLessThan(few);
  const [left] = await server.query(`select count(*)::int as updates from lastcall.updates`, 'test_1');
  expect(left).toEqual({ updates: WAITING });
}, 30_000);
