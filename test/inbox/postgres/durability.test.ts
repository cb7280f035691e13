import { expect, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import { Database } from '../../../src/inbox/postgres/database.js';
import { durabilityOf, readDurability } from '../../../src/inbox/postgres/durability.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import { PostgresServer } from '../../support/postgres.js';

const safe = { fsync: true, commit: 'on', standbys: 'ANY 1 (a, b)' };

test.each([
  ['a synchronous standby', safe, 'fail-over', undefined],
  ['a standby that writes later', { ...safe, commit: 'remote_write' }, 'fail-over', undefined],
  ['no synchronous standby', { ...safe, standbys: '' }, 'power', 'synchronous_standby_names is empty'],
  ['a standby that is not waited for', { ...safe, commit: 'local' }, 'power', 'synchronous_commit=local'],
  ['commits that are not waited for', { ...safe, commit: 'off' }, 'process', 'synchronous_commit=off'],
  ['a disk that is not waited for', { ...safe, fsync: false }, 'process', 'fsync=off'],
] as const)('with %s', (_what, settings, survives, words) => {
  const { survives: found, except } = durabilityOf(settings);
  expect(found).toBe(survives);
  if (words === undefined) expect(except).toBeUndefined();
  else expect(except).toContain(words);
});

test('reads the settings of the server', async () => {
  await using server = await PostgresServer.start({ settings: { fsync: 'on' } });
  const database = new Database({ connect: await createDriver(server.url()), clock: systemClock });
  await database.open();
  expect(await readDurability(database.work)).toMatchObject({ survives: 'power' });
  await database.work.query({ text: 'set synchronous_commit = off' });
  expect(await readDurability(database.work)).toMatchObject({ survives: 'process' });
  await database.close();
}, 60_000);
