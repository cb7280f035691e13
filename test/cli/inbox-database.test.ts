/** `lastcall inbox` on a real database, as it is after, and beside, processes that work with it. */
import { EventEmitter, once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inbox } from '../../src/cli/inbox.js';
import { systemClock } from '../../src/clock.js';
import { Database } from '../../src/inbox/postgres/database.js';
import { createDriver } from '../../src/inbox/postgres/pg.js';
import { runCommand } from '../support/command-run.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(60_000);

const BOT = '471200002-0123456789abcdef';
const OTHER = '471200003-0123456789abcdef';

let server: PostgresServer;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  url = await server.createDatabase();
});

async function run(args: readonly string[]) {
  const printed = await runCommand(inbox, args, { env: { INBOX: url } });
  expect(`${printed.stdout}${printed.stderr}`).not.toContain('password-of-the-test-server');
  return printed;
}

const rows = (statement: string) => server.queryTables(statement, url);
const databaseName = () => new URL(url).pathname.slice(1);

/** A bot with a process at work on 11, one that has died at 12, two updates that wait in another chat, two dead letters. */
async function fill(): Promise<void> {
  await run(['migrate']);
  await rows(`
    insert into pollers (bot) values ('${BOT}');
    insert into updates (bot, update_id, key, kind, content, attempts) values
      ('${BOT}', 11, 'chat 1', 'message', '{"update_id":11}', 0),
      ('${BOT}', 12, 'chat 2', 'message', '{"update_id":12}', 1),
      ('${BOT}', 13, 'chat 3', 'message', '{"update_id":13,"message":{"text":"héllo"}}', 0),
      ('${BOT}', 14, 'chat 3', 'callback_query', '{"update_id":14}', 0);
    insert into hosts (bot, place, lease_ms, running, beat_at)
      select '${BOT}', 'alpha (pid 7)', 60000, array_agg(seq), clock_timestamp() from updates where update_id = 11;
    insert into hosts (bot, place, lease_ms, running, beat_at)
      select '${BOT}', 'beta (pid 8)', 5000, array_agg(seq), clock_timestamp() - interval '2 minutes' from updates where update_id = 12;
    update pollers set host = (select id from hosts where place = 'alpha (pid 7)');
    insert into lanes (bot, key, host, first, last, given)
      select bot, key, case when key = 'chat 3' then null else 1 end, min(seq), max(seq), case when key = 'chat 3' then 0 else max(seq) end
      from updates group by bot, key;
    insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts, error, at) values
      ('${BOT}', 100001, 5, 'chat 3', 'message', '{"update_id":5}', 'failed', 1, E'TypeError: x\\n at y', clock_timestamp() - interval '2 hours'),
      ('${BOT}', 100002, 6, 'chat 4', 'message', '{"update_id":6}', 'died', 3, null, clock_timestamp());
  `);
}

describe('lastcall inbox migrate', () => {
  it('makes the tables, and says so; once', async () => {
    expect(await run(['migrate'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('were made, of version 2'),
    });
    expect(await run(['migrate'])).toMatchObject({ stdout: expect.stringContaining('nothing to do') });
  });

  it('is for databases', async () => {
    url = 'journal';
    await expect(run(['migrate'])).rejects.toMatchObject({ code: 'COMMAND_MISUSED' });
  });
});

describe('the bot', () => {
  it('is not there in a database without tables, or of another bot', async () => {
    await expect(run([])).rejects.toMatchObject({
      code: 'INBOX_NOT_FOUND',
      message: expect.stringContaining(`/${databaseName()}`),
    });
    await fill();
    await expect(run(['--bot', '1'])).rejects.toMatchObject({
      code: 'INBOX_NOT_FOUND',
      message: expect.stringContaining(`only of ${BOT}`),
    });
  });

  it('has to be named where there are several', async () => {
    await fill();
    await rows(`insert into pollers (bot) values ('${OTHER}')`);
    await expect(run([])).rejects.toMatchObject({ code: 'INBOX_AMBIGUOUS' });
    expect((await run(['--bot', '471200003'])).stdout).toBe(
      `0 running, 0 waiting, 0 dead in the inbox of bot ${OTHER}. Not in use.\n`,
    );
  });
});

describe('lastcall inbox list', () => {
  it('shows the updates, their states, and who works with them', async () => {
    await fill();
    const { stdout } = await run([]);
    const [head, , , ...lines] = stdout.trimEnd().split('\n');
    expect(head).toBe(
      `1 running, 1 interrupted, 2 waiting, 2 dead in the inbox of bot ${BOT}. In use by a process: alpha (pid 7), which polls. beta (pid 8) was last seen 2 min ago.`,
    );
    expect(lines.map((line) => line.trim().split(/\s+/).slice(0, 3).join(' '))).toEqual([
      'running 11 message',
      'interrupted 12 message',
      'waiting 13 message',
      'waiting 14 callback_query',
      'dead 5 message',
      'dead 6 message',
    ]);
    expect(stdout).toContain('failed: TypeError: x');
  });

  it('counts an attempt that is under way as begun', async () => {
    await fill();
    const { updates } = JSON.parse((await run(['--json'])).stdout);
    expect(updates.map(({ attempts }: { attempts: number }) => attempts)).toEqual([1, 2, 0, 0, 1, 3]);
  });

  it('prints JSON', async () => {
    await fill();
    const { stdout } = await run(['list', '--json', '--dead']);
    expect(JSON.parse(stdout)).toMatchObject({
      bot: BOT,
      database: `127.0.0.1:${server.port}/${databaseName()}`,
      attended: true,
      counts: { running: 1, interrupted: 1, waiting: 2, dead: 2 },
      updates: [
        { updateId: 5, why: 'failed', error: 'TypeError: x\n at y' },
        { updateId: 6, why: 'died', error: null },
      ],
    });
  });

  it('reads more than a page, each update once', async () => {
    await fill();
    await rows(`insert into updates (bot, update_id, key, kind, content)
      select '${BOT}', 1000 + n, 'chat', 'message', '{}' from generate_series(1, 1200) n;
      insert into dead_letters (bot, seq, update_id, key, kind, content, why, attempts)
      select '${BOT}', 5000 + n, 9000 + n, 'chat', 'message', '{}', 'failed', 1 from generate_series(1, 700) n;`);
    const { updates } = JSON.parse((await run(['--json'])).stdout);
    expect(updates).toHaveLength(1204 + 702);
    expect(new Set(updates.map(({ seq }: { seq: number }) => seq)).size).toBe(1204 + 702);
  });
});

describe('lastcall inbox show and export', () => {
  it('print the content', async () => {
    await fill();
    expect(JSON.parse((await run(['show', '13'])).stdout)).toMatchObject({
      updateId: 13,
      update: { message: { text: 'héllo' } },
    });
    const lines = (await run(['export', '--waiting'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).update.update_id)).toEqual([12, 13, 14]);
  });

  it('say what is not there', async () => {
    await fill();
    expect(await run(['show', '99'])).toMatchObject({
      exitCode: 1,
      stderr: 'update 99 is not in the inbox\n',
    });
  });
});

describe('lastcall inbox retry', () => {
  it('has the updates of dead letters wait once more, behind what waits in their chat, and tells the processes', async () => {
    await fill();
    const listening = new Database({ connect: await createDriver(url), clock: systemClock });
    await listening.open();
    const heard = new EventEmitter();
    await listening.listen('lastcall', (payload) => heard.emit('heard', payload));
    const notified = once(heard, 'heard');
    expect(await run(['retry', '--all'])).toMatchObject({
      exitCode: 0,
      stdout: 'retrying 2 updates: 5, 6\n',
    });
    expect(await notified).toEqual([BOT]);
    await listening.close();
    expect(
      await rows(
        "select update_id::int, attempts from updates where key in ('chat 3', 'chat 4') order by seq",
      ),
    ).toEqual([
      { update_id: 13, attempts: 0 },
      { update_id: 14, attempts: 0 },
      { update_id: 5, attempts: 0 },
      { update_id: 6, attempts: 0 },
    ]);
    // Each lane leads to the last of its updates.
    expect(
      await rows('select key from lanes l where last < (select max(seq) from updates u where u.key = l.key)'),
    ).toEqual([]);
    expect(await rows("select host from lanes where key = 'chat 4'")).toEqual([{ host: null }]);
    expect(await rows('select * from dead_letters')).toEqual([]);
  });

  it('takes a selection, and says which ids are not dead', async () => {
    await fill();
    expect(await run(['retry', '--why', 'failed', '--since', '3h'])).toMatchObject({
      stdout: 'retrying 1 update: 5\n',
    });
    expect(await run(['retry', '13', '6'])).toMatchObject({
      exitCode: 1,
      stdout: 'retrying 1 update: 6\n',
      stderr: 'update 13 is waiting, not dead\n',
    });
  });
});

describe('lastcall inbox drop', () => {
  it('removes dead letters and what no process was given, and refuses the rest', async () => {
    await fill();
    const { exitCode, stdout, stderr } = await run(['drop', '5', '11', '12', '14']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'dropped 2 updates: 5, 14\n' });
    expect(stderr).toBe(
      'update 11 was refused: its handler is running\nupdate 12 was refused: it is interrupted\n',
    );
    expect(await rows('select update_id::int from updates order by 1')).toEqual([
      { update_id: 11 },
      { update_id: 12 },
      { update_id: 13 },
    ]);
  });

  it('counts the turn of the lane on, so that nobody hands out what was read before', async () => {
    await fill();
    const before = await rows("select turn from lanes where key = 'chat 3'");
    await run(['drop', '13']);
    expect(await rows("select turn from lanes where key = 'chat 3'")).not.toEqual(before);
  });
});

describe('a database that is away', () => {
  it('is not waited for', async () => {
    await server.halt();
    await expect(run([])).rejects.toMatchObject({ code: 'INBOX_DATABASE_AWAY' });
    await server.start();
  });
});
