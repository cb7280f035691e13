/** The database server of the tests, on which all tests of the inbox in PostgreSQL rely. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { repository } from './support/folder.js';
import { PostgresServer } from './support/postgres.js';

jest.setTimeout(60_000);

test('keeps what was committed over an immediate restart, on the same port', async () => {
  await using server = await PostgresServer.start();
  await server.query('create table kept as select 1 as number');
  await server.restart('immediate');
  expect(await server.query('select number from kept')).toEqual([{ number: 1 }]);
});

test('ends with the process of the test, even if that is killed', async () => {
  const program = `
    import { PostgresServer } from ${JSON.stringify(join(repository, 'test', 'support', 'postgres.ts'))};
    const server = await PostgresServer.start();
    console.log(server.port);
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout.setEncoding('utf8'), 'data');
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(
    socket.resume().on('error', () => {}),
    'close',
  );
  child.kill('SIGKILL');
  await closed;
});
