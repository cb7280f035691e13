/** The tables, made and brought up to date on a real server. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import { Database } from '../../../src/inbox/postgres/database.js';
import { migrate } from '../../../src/inbox/postgres/migrate.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import { type Migration, migrations } from '../../../src/inbox/postgres/schema.js';
import { PostgresServer } from '../../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

async function openDatabase(url: string) {
  const database = new Database({ connect: await createDriver(url), clock: systemClock });
  await database.open();
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}

const clock = systemClock;
const current = migrations.at(-1)?.version ?? 0;
const step = (version: number, least: number): Migration => ({
  version,
  least,
  statements: [`alter table hosts add added_${version} text`],
});

test('makes the tables once, however many processes start at the same time', async () => {
  const url = await server.createDatabase();
  const databases = await Promise.all([1, 2, 3, 4].map(() => openDatabase(url)));
  const results = await Promise.all(databases.map(({ work }) => migrate(work, { clock })));
  expect(results.filter(({ from }) => from === undefined)).toHaveLength(1);
  expect(results.map(({ to }) => to)).toEqual([current, current, current, current]);
  await Promise.all(databases.map((database) => database.close()));
});

test('brings tables up to date, and lets an older version work on them if the step only adds', async () => {
  await using database = await openDatabase(await server.createDatabase());
  const { work } = database;
  await migrate(work, { clock });
  const steps = [...migrations, step(current + 1, 1)];
  expect(await migrate(work, { clock, steps })).toEqual({ from: current, to: current + 1 });
  expect(await work.query({ text: `select added_${current + 1} from hosts` })).toEqual([]);
  expect(await migrate(work, { clock })).toEqual({ from: current + 1, to: current + 1 });
});

test('ends amid a step on a stop, and the step is not taken', async () => {
  await using database = await openDatabase(await server.createDatabase());
  const { work } = database;
  await migrate(work, { clock });
  const long: Migration = { version: current + 1, least: 1, statements: ['select pg_sleep(60)'] };
  const stop = new AbortController();
  const migrated = migrate(work, { clock, steps: [...migrations, long], signal: stop.signal });
  const stopped = expect(migrated).rejects.toThrow('a stop');
  const sleeping = {
    text: "select from pg_stat_activity where query = 'select pg_sleep(60)'",
    row: () => true,
  };
  while ((await database.beat.query(sleeping)).length === 0);
  const at = performance.now();
  stop.abort(new Error('a stop'));
  await stopped;
  expect(performance.now() - at).toBeLessThan(3_000);
  await work.whenConnected();
  expect(await migrate(work, { clock })).toEqual({ from: current, to: current });
});

test('refuses tables that only a newer version understands, and changes nothing', async () => {
  await using database = await openDatabase(await server.createDatabase());
  const { work } = database;
  const steps = [...migrations, step(current + 1, current + 1)];
  await migrate(work, { clock, steps });
  await expect(migrate(work, { clock })).rejects.toMatchObject({ code: 'INBOX_SCHEMA_NEWER' });
});

test('leaves nothing of a step that fails', async () => {
  await using database = await openDatabase(await server.createDatabase());
  const { work } = database;
  await migrate(work, { clock });
  const bad = { ...step(current + 1, 1), statements: ['alter table hosts add half text', 'selct'] };
  const steps = [...migrations, bad];
  await expect(migrate(work, { clock, steps })).rejects.toMatchObject({ code: 'INBOX_DATABASE_FAILED' });
  await expect(work.query({ text: 'select half from hosts' })).rejects.toMatchObject({
    code: 'INBOX_DATABASE_FAILED',
  });
});

test('says what a role lacks that may not make the tables', async () => {
  const url = await server.createDatabase();
  await server.query("create role reader login password 'secret-of-reader'");
  const name = new URL(url).pathname.slice(1);
  await using database = await openDatabase(
    server.url(name, { user: 'reader', password: 'secret-of-reader' }),
  );
  const migrating = migrate(database.work, { clock });
  await expect(migrating).rejects.toMatchObject({ code: 'INBOX_DATABASE_REFUSED' });
  await expect(migrating).rejects.toThrow(
    /do not exist yet.*may not do that.*permission denied for database/,
  );
});

test('needs no right but those on a schema of its own', async () => {
  const url = await server.createDatabase();
  const name = new URL(url).pathname.slice(1);
  await server.query("create role bot login password 'secret-of-bot'");
  await server.query(`revoke create, temporary on database ${name} from public`);
  await server.query('create schema lastcall authorization bot', name);
  await using database = await openDatabase(server.url(name, { user: 'bot', password: 'secret-of-bot' }));
  expect(await migrate(database.work, { clock })).toEqual({ from: undefined, to: current });
});
