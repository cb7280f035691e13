/** The rights that a role needs, as the README grants them. */
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../../src/clock.js';
import { openSession } from '../../../src/inbox/postgres/database.js';
import { migrate } from '../../../src/inbox/postgres/migrate.js';
import { createDriver } from '../../../src/inbox/postgres/pg.js';
import { PostgresInbox } from '../../../src/inbox/postgres/postgres-inbox.js';
import { orderKey, updateKind } from '../../../src/telegraf/order-key.js';
import { repository } from '../../support/folder.js';
import { type Update, update } from '../../support/inbox-folder.js';
import { PostgresServer } from '../../support/postgres.js';

jest.setTimeout(60_000);

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start();
});
afterAll(async () => {
  await server.stop();
});

/** The statements of the README that stand between these marks. */
function readBlock(name: string): string {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const [, block] =
    new RegExp(`<!-- ${name} -->\n\`\`\`sql\n([\\s\\S]*?)\`\`\`\n<!-- /${name} -->`).exec(readme) ?? [];
  if (block === undefined) throw new Error(`the README has no ${name}`);
  return block;
}

/** Accepts an update, handles one well and gives one up, as a role of this name. */
async function work(url: string): Promise<void> {
  const told = new EventEmitter();
  const inbox = new PostgresInbox<Update>({
    bot: '1-a',
    place: 'here',
    path: 'test',
    createDriver: () => createDriver(url),
    maxAttempts: 3,
    concurrency: 10,
    limit: 1_000,
    clock: systemClock,
    restore: (content) => content as Update,
    errorText: String,
    emit: () => {},
    keyOf: orderKey,
    kindOf: updateKind,
    available: () => told.emit('available'),
  });
  await inbox.open();
  await inbox.nextTurn(new AbortController().signal);
  await inbox.accept([update(1, 1), update(2, 2)]);
  for (let handled = 0; handled < 2; ) {
    const [entry] = inbox.take(1);
    if (!entry) await once(told, 'available');
    else inbox.settle(entry, handled++ === 0 ? 'handled' : 'failed', new Error('on purpose'));
  }
  inbox.drain();
  expect(await inbox.close()).toMatchObject({ left: 0 });
  expect(inbox.counts).toMatchObject({ handled: 1, failed: 1, dead: 1 });
}

test('are those on a schema of its own', async () => {
  const url = await server.createDatabase();
  const name = new URL(url).pathname.slice(1);
  await server.query(
    `revoke all on database ${name} from public; grant connect on database ${name} to public`,
  );
  await server.query(readBlock('postgres-role').replaceAll("'…'", "'secret-of-lastcall'"), name);
  await work(server.url(name, { user: 'lastcall', password: 'secret-of-lastcall' }));
});

test('are none but to read and write, where another role has made the tables', async () => {
  const url = await server.createDatabase();
  const name = new URL(url).pathname.slice(1);
  const session = await openSession({ connect: await createDriver(url), clock: systemClock });
  await migrate(session, { clock: systemClock });
  await session.close();
  await server.query("create role worker login password 'secret-of-worker'");
  await server.query(readBlock('postgres-grants').replaceAll('ROLE', 'worker'), name);
  await work(server.url(name, { user: 'worker', password: 'secret-of-worker' }));
});
