/** Against a real server: what sessions do when it goes away, comes back and refuses. */
import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import type { Connect, Connection, ConnectionListener } from '../../../src/inbox/postgres/connection.js';
import { Database, type DatabaseOptions } from '../../../src/inbox/postgres/database.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import type { Row } from '../../../src/inbox/postgres/row.js';
import { createAuthority } from '../../support/certificates.js';
import { FakeClock } from '../../support/fake-clock.js';
import { PostgresServer } from '../../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
}, 60_000);
afterAll(async () => {
  await server.stop();
});

async function openDatabase(url: string, options: Partial<DatabaseOptions> = {}) {
  const database = new Database({ connect: await createDriver(url), clock: systemClock, ...options });
  await database.open();
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() });
}

const one = {
  name: 'one',
  text: 'select $1::int as number',
  row: (row: Row) => row.integer('number'),
};
const backend = {
  text: 'select pg_backend_pid() as pid',
  row: (row: Row) => row.integer('pid'),
};

describe('a session', () => {
  test('runs a named statement with values, and parses its rows', async () => {
    await using database = await openDatabase(server.url());
    expect(await database.work.query(one, [7])).toEqual([7]);
    expect(await database.work.query(one, [8])).toEqual([8]);
  });

  test('sets the keepalive of its connection at the server', async () => {
    await using database = await openDatabase(server.url());
    const setting = {
      text: "select current_setting('tcp_user_timeout') as value",
      row: (row: Row) => row.text('value'),
    };
    expect(await database.work.query(setting)).toEqual(['5000']);
  });

  test('rolls back a transaction whose work fails, and lets no other statement in between', async () => {
    const url = await server.createDatabase();
    await using database = await openDatabase(url);
    await database.work.query({ text: 'create table public.item (id int primary key)' });
    const failing = database.work.transaction(async ({ query }) => {
      await query({ text: 'insert into public.item values (1)' });
      throw new Error('on purpose');
    });
    const other = database.work.query({ text: 'insert into public.item values (2)' });
    await expect(failing).rejects.toThrow('on purpose');
    await other;
    const ids = {
      text: 'select id from public.item',
      row: (row: Row) => row.integer('id'),
    };
    expect(await database.work.query(ids)).toEqual([2]);
  });

  test('tells a wrong statement from a database that is away', async () => {
    await using database = await openDatabase(server.url());
    await expect(database.work.query({ text: 'selct' })).rejects.toMatchObject({
      code: 'INBOX_DATABASE_FAILED',
    });
    expect(await database.work.query(one, [1])).toEqual([1]);
  });

  test('connects again after its backend was ended, and rejects what was running', async () => {
    const lost: string[] = [];
    await using database = await openDatabase(server.url(), {
      lost: ({ name }, { code }) => lost.push(`${name} ${code}`),
    });
    const [pid] = await database.work.query(backend);
    const running = database.work.query({ text: 'select pg_sleep(60)' });
    await server.query(`select pg_terminate_backend(${pid})`);
    await expect(running).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
    await database.work.whenConnected();
    const [other] = await database.work.query(backend);
    expect(other).not.toBe(pid);
    expect(database.work.connections).toBe(2);
    expect(lost).toEqual(['work INBOX_DATABASE_AWAY']);
  });
});

describe('a database', () => {
  test('hears of notifications, and learns that it may have missed some after a restart of the server', async () => {
    await using database = await openDatabase(server.url());
    const heard = new EventEmitter();
    await database.listen('lastcall', (payload) => heard.emit('heard', payload));
    const notify = (text: string) =>
      database.work.query({ text: 'select pg_notify($1, $2)' }, ['lastcall', text]);
    const first = once(heard, 'heard');
    await notify('one');
    expect(await first).toEqual(['one']);
    const missed = once(heard, 'heard');
    await server.restart('immediate');
    expect(await missed).toEqual([undefined]);
    const second = once(heard, 'heard');
    await database.work.whenConnected();
    await notify('two');
    expect(await second).toEqual(['two']);
  });

  test('listens though the connection is lost just then', async () => {
    const connect = await createDriver(server.url());
    let isCut = false;
    await using database = await openDatabase(server.url(), {
      connect: async (listener, signal) => {
        const connection = await connect(listener, signal);
        return {
          ...connection,
          run: (statement) => {
            if (statement.text === 'listen lastcall' && !isCut) {
              isCut = true;
              connection.destroy();
            }
            return connection.run(statement);
          },
        };
      },
    });
    const heard = new EventEmitter();
    const reconnected = once(heard, 'heard');
    await database.listen('lastcall', (payload) => heard.emit('heard', payload));
    expect(await reconnected).toEqual([undefined]);
    const told = once(heard, 'heard');
    await database.work.query({ text: "select pg_notify('lastcall', 'one')" });
    expect(await told).toEqual(['one']);
    expect(isCut).toBe(true);
  });

  test('has the server give up what nobody waits for', async () => {
    await using database = await openDatabase(server.url());
    const settings = {
      text: "select current_setting('lock_timeout') as lock, current_setting('client_connection_check_interval') as check",
      row: (row: Row) => [row.text('lock'), row.text('check')],
    };
    for (const session of [database.work, database.beat, database.events])
      expect(await session.query(settings)).toEqual([['4s', '1s']]);
  });

  test('waits at the start for a database that is away', async () => {
    await server.halt();
    const away = new EventEmitter();
    const firstFailure = once(away, 'lost');
    const opening = openDatabase(server.url(), { lost: (_session, error) => away.emit('lost', error) });
    expect(await firstFailure).toMatchObject([{ code: 'INBOX_DATABASE_AWAY' }]);
    await server.start();
    await using database = await opening;
    expect(await database.work.query(one, [1])).toEqual([1]);
  });

  test('ends its start with the reason of the signal', async () => {
    await server.halt();
    const stop = new AbortController();
    const database = new Database({
      connect: await createDriver(server.url()),
      clock: systemClock,
      lost: () => stop.abort(new Error('stopping')),
    });
    await expect(database.open(stop.signal)).rejects.toThrow('stopping');
    await server.start();
  });

  test.each([
    [
      'a wrong password',
      () => server.url('postgres', { password: 'not-this-one' }),
      /password authentication failed/,
    ],
    ['an unknown database', () => server.url('nowhere'), /database "nowhere" does not exist/],
    [
      'an unknown role',
      () => server.url('postgres', { user: 'nobody' }),
      /password authentication failed for user "nobody"/,
    ],
    ['no TLS at the server', () => `${server.url()}?sslmode=require`, /does not support SSL/],
    [
      'a certificate file that is missing',
      () => `${server.url()}?sslmode=verify-full&sslrootcert=/nowhere`,
      /no such file/,
    ],
  ])('refuses %s at the start, without the password', async (_what, url, words) => {
    const opening = openDatabase(url());
    await expect(opening).rejects.toMatchObject({ code: 'INBOX_DATABASE_REFUSED', exitCode: 78 });
    await expect(opening).rejects.toThrow(words);
    await opening.catch((error: unknown) =>
      expect(inspect(error, { depth: 9 })).not.toMatch(/not-this-one|password-of-the-test/),
    );
  });

  test('goes on trying where it is refused later', async () => {
    const url = await server.createDatabase();
    await server.query("create role moody login password 'secret-of-moody'");
    const told = new EventEmitter();
    await using database = await openDatabase(
      server.url(new URL(url).pathname.slice(1), { user: 'moody', password: 'secret-of-moody' }),
      {
        lost: (_session, error) => told.emit(error.code),
      },
    );
    await server.query('alter role moody nologin');
    const refused = once(told, 'INBOX_DATABASE_REFUSED');
    await server.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'moody'");
    await refused;
    await server.query('alter role moody login');
    await database.work.whenConnected();
  });

  test('waits for the primary where the address leads to a server that takes no writes', async () => {
    const url = await server.createDatabase();
    const name = new URL(url).pathname.slice(1);
    await server.query(`alter database ${name} set default_transaction_read_only = on`);
    const told = new EventEmitter();
    const firstFailure = once(told, 'lost');
    const opening = openDatabase(url, { lost: (_session, error) => told.emit('lost', error) });
    expect(await firstFailure).toMatchObject([
      { code: 'INBOX_DATABASE_AWAY', message: expect.stringContaining('takes no writes') },
    ]);
    await server.query(`alter database ${name} reset default_transaction_read_only`);
    await using database = await opening;
    expect(await database.work.query(one, [1])).toEqual([1]);
  });

  test('is refused behind a pooler that shares the sessions of the server', async () => {
    const connect = await createDriver(server.url());
    let shared: Promise<Connection> | undefined;
    const listeners: ConnectionListener[] = [];
    const everyone: ConnectionListener = {
      notified: () => {},
      closed: (error) => {
        for (const { closed } of listeners) closed(error);
      },
    };
    const pooled: Connect = (listener, signal) => {
      listeners.push(listener);
      shared ??= connect(everyone, signal);
      return shared;
    };
    const database = new Database({ connect: pooled, clock: systemClock });
    await expect(database.open()).rejects.toMatchObject({ code: 'INBOX_DATABASE_POOLED', exitCode: 78 });
  });

  test('is not taken for pooled where a connection is lost while it opens', async () => {
    const connect = await createDriver(server.url());
    let isCut = false;
    const once: Connect = async (listener, signal) => {
      const connection = await connect(listener, signal);
      return {
        ...connection,
        async run(statement) {
          const rows = await connection.run(statement);
          if (!isCut && statement.text.includes('lastcall.session')) {
            isCut = true;
            connection.destroy();
          }
          return rows;
        },
      };
    };
    const database = new Database({ connect: once, clock: systemClock });
    await database.open();
    expect(isCut).toBe(true);
    expect(await database.work.query(one, [1])).toEqual([1]);
    await database.close();
  });

  test('counts a connection as lost on which no answer comes in time', async () => {
    const clock = new FakeClock();
    const database = new Database({ connect: await createDriver(server.url()), clock });
    await database.open();
    const running = database.work.query({ text: 'select pg_sleep(60)' });
    const later = database.work.query(one, [1]);
    await Promise.resolve();
    await clock.advance(5_000);
    await expect(running).rejects.toMatchObject({
      code: 'INBOX_DATABASE_AWAY',
      message: 'the database has not answered within 5 s',
    });
    await expect(later).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
    await clock.advance(100);
    await database.work.whenConnected();
    expect(await database.work.query(one, [2])).toEqual([2]);
    await database.close();
  });
});

test('says how to install the package where it is missing', async () => {
  const load = () =>
    Promise.reject(Object.assign(new Error("Cannot find package 'pg'"), { code: 'ERR_MODULE_NOT_FOUND' }));
  await expect(createDriver(server.url(), load)).rejects.toMatchObject({
    code: 'INBOX_PACKAGE_MISSING',
    exitCode: 78,
    nextStep: expect.stringContaining('npm install pg'),
  });
});

describe('over TLS', () => {
  test('verifies the certificate against that of the URL, and refuses another', async () => {
    using authority = createAuthority();
    using stranger = createAuthority();
    const { key, cert } = authority.issue();
    await using secure = await PostgresServer.start({
      settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
      files: { 'server.crt': cert, 'server.key': key },
    });
    const encrypted = {
      text: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
      row: (row: Row) => row.boolean('ssl'),
    };
    const url = (mode: string, file: string) => `${secure.url()}?sslmode=${mode}&sslrootcert=${file}`;
    await using database = await openDatabase(url('require', authority.file));
    expect(await database.work.query(encrypted)).toEqual([true]);
    for (const mode of ['require', 'verify-full'])
      await expect(openDatabase(url(mode, stranger.file))).rejects.toMatchObject({
        code: 'INBOX_DATABASE_REFUSED',
      });
    await using unverified = await openDatabase(`${secure.url()}?sslmode=no-verify`);
    expect(await unverified.work.query(encrypted)).toEqual([true]);
  }, 30_000);
});
