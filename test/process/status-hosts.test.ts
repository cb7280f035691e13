/** `lastcall status` and `lastcall inbox` of processes with one database, asked on their hosts and on another one. */
import { expect, it, jest } from '@jest/globals';
import type { StatusReport } from '../../src/observe/status/report.js';
import { spawnDaemon } from '../support/daemon.js';
import { answers, openSandbox, runBot } from '../support/delivery.js';
import { Folder } from '../support/folder.js';
import { PostgresServer } from '../support/postgres.js';
import { reportWhen, status } from '../support/status.js';

jest.setTimeout(60_000);

const HANDLED = 10;

it('tell what runs, waits and is dead, and who polls', async () => {
  await using server = await PostgresServer.start();
  const INBOX = await server.createDatabase();
  await using sandbox = await openSandbox();
  using elsewhere = new Folder();
  using here = new Folder();
  using there = new Folder();
  const run = ({ path }: Folder) =>
    runBot(sandbox, 'moody', { ipc: true, env: { INBOX, STATE_DIR: path, STOP_TIMEOUT: '2s' } });
  const tool = async (...args: readonly string[]) => {
    await using program = spawnDaemon({ args, env: { INBOX, STATE_DIR: elsewhere.path } });
    const { code } = await program.end();
    return { code, output: program.output };
  };

  await using first = run(here);
  await first.waitFor('poll.started');
  for (const text of ['slow', 'first behind', 'second behind']) sandbox.say({ chat: 1, text });
  for (const chat of [2, 3]) sandbox.say({ chat, text: `fail ${chat}` });
  for (let n = 0; n < HANDLED; n++) sandbox.say({ chat: 100 + n, text: 'well' });
  await answers(sandbox, HANDLED);
  const isSettled = ({ counts }: StatusReport) => counts.handled === HANDLED && counts.failed === 2;
  const settled = await reportWhen(here.path, isSettled);
  expect(settled).toMatchObject({
    counts: { running: 1, waiting: 2, dead: 2 },
    inbox: { kind: 'postgres' },
    polling: { state: 'polling' },
  });
  await using second = run(there);
  await second.waitFor('inbox.standing-by');

  const onFirst = await status(here.path);
  expect(onFirst.code).toBe(0);
  expect(onFirst.output).toMatch(/^@\w+ \(\d+\) {2}polling for /);
  expect(onFirst.output).toContain('1 running, 2 waiting, 10 handled, 2 failed, 2 dead letters');
  expect(onFirst.output).toContain('in the database, shared with all its processes (lastcall inbox)');
  const onSecond = await status(there.path);
  expect(onSecond.code).toBe(0);
  expect(onSecond.output).toMatch(
    new RegExp(`standing by for .*, \\S+ \\(pid ${first.child.pid}\\) polls$`, 'm'),
  );
  // What runs on the first host has not settled either.
  expect(onSecond.output).toContain('0 running, 3 waiting, 0 handled, 2 dead letters');

  const inbox = await tool('inbox');
  expect(inbox.output).toMatch(
    new RegExp(
      `^1 running, 2 waiting, 2 dead in the inbox of bot \\d+\\. In use by 2 processes: \\S+ \\(pid ${first.child.pid}\\), which polls; \\S+ \\(pid ${second.child.pid}\\)\\.$`,
      'm',
    ),
  );
  expect(await tool('status')).toMatchObject({
    code: 1,
    output: expect.stringContaining('what the database holds, `lastcall inbox` tells'),
  });

  await first.stop('SIGKILL');
  await second.waitFor('poll.started');
  expect((await tool('inbox')).output).toContain(`(pid ${second.child.pid}), which polls`);
});
