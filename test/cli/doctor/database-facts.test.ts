/** What `lastcall doctor` sees of a real database. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { checkDatabase, lookAtDatabase } from '../../../src/cli/doctor/database.js';
import { systemClock } from '../../../src/clock.js';
import type { PostgresUrl } from '../../../src/config/inbox-setting.js';
import { openSession } from '../../../src/inbox/postgres/database.js';
import { migrate } from '../../../src/inbox/postgres/migrate.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import { textOf, troubles } from '../../support/findings.js';
import { PostgresServer } from '../../support/postgres.js';

jest.setTimeout(60_000);

const BOT = '471200004';
let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({ settings: { fsync: 'on' } });
});
afterAll(() => server.stop());

const asUrl = (text: string): PostgresUrl => `postgres://${text.slice('postgres://'.length)}`;

async function makeTables(url: string): Promise<void> {
  const session = await openSession({ connect: await createDriver(url), clock: systemClock });
  await migrate(session, { clock: systemClock });
  await session.close();
}

describe('the database', () => {
  it('is looked at without a change to it', async () => {
    const url = asUrl(await server.createDatabase());
    const facts = await lookAtDatabase(url, BOT);
    expect(facts).toMatchObject({ failure: undefined, hasOwnSessions: true, version: undefined, hosts: [] });
    expect(troubles(checkDatabase(facts))).toEqual([]);
    const [{ found } = {}] = await server.query(
      "select to_regnamespace('lastcall') is null as found",
      new URL(url).pathname.slice(1),
    );
    expect(found).toBe(true);
  });

  it('tells its tables, who polls, what waits, and what it keeps', async () => {
    const url = asUrl(await server.createDatabase());
    await makeTables(url);
    await server.query(
      `set search_path = lastcall;
      insert into pollers (bot) values ('${BOT}');
      insert into dead_letters (bot, seq, update_id, key, kind, content, attempts, why) values
        ('${BOT}', 1, 11, 'chat 1', 'message', '{"update_id":11}', 1, 'failed')`,
      new URL(url).pathname.slice(1),
    );
    const facts = await lookAtDatabase(url, BOT);
    expect(facts).toMatchObject({ version: { version: facts.known }, counts: { dead: 1 } });
    expect(facts.durability).toMatchObject({ survives: 'power' });
    expect(troubles(checkDatabase(facts))).toEqual(['dead letters: warning']);
  });

  it('is wrong where it refuses, or is not there, and the password is not told', async () => {
    const facts = await lookAtDatabase(asUrl(server.url('postgres', { password: 'not-shown-1' })), BOT);
    const away = await lookAtDatabase('postgres://ann:not-shown-1@127.0.0.1:1/bots', BOT);
    for (const each of [facts, away]) {
      expect(troubles(checkDatabase(each))).toEqual(['database: wrong']);
      expect(textOf(checkDatabase(each))).not.toContain('not-shown-1');
    }
    expect(textOf(checkDatabase(facts))).toMatch(/password authentication failed/);
    expect(textOf(checkDatabase(away))).toMatch(/ECONNREFUSED/);
  });
});
