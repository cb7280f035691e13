/** `lastcall demo --hosts 3`, as the README has it: what is told, in which order, and what is left. */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { spawnDaemon } from '../support/daemon.js';
import { Folder, repository } from '../support/folder.js';
import { PostgresServer } from '../support/postgres.js';

jest.setTimeout(120_000);

const PATIENCE_MS = 90_000;

const figure = (output: string, name: string): number =>
  Number(new RegExp(`^  ${name} +(\\d+(?:\\.\\d+)?)`, 'm').exec(output)?.[1]);

/** The commands of the processes that name the folder, such as that of a server whose data is there. */
function commandsNaming(folder: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        // It has ended.
        return [];
      }
    })
    .filter((command) => command.includes(folder));
}

it('kills one host and freezes another, and nothing is lost', async () => {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const [, command = ''] = /^npm run demo -- (--hosts.*)$/m.exec(readme) ?? [];
  using folder = new Folder();
  // The server runs as nobody where this process is root.
  chmodSync(folder.path, 0o755);
  await using program = spawnDaemon({
    args: ['demo', ...command.split(' ')],
    env: { TMPDIR: folder.path },
    detached: true,
  });
  await program.prints(/people begin to chat/);
  expect(readdirSync(folder.path)).toHaveLength(2);
  if (process.platform === 'linux') expect(commandsNaming(folder.path)).not.toEqual([]);
  const group = program.child.pid ?? Number.NaN;
  expect(await program.end(PATIENCE_MS)).toMatchObject({ code: 0 });
  const { output } = program;
  expect(output).toMatch(
    /people begin to chat[\s\S]*✗ (host \d) is killed[\s\S]*polls Telegram from now on[\s\S]*notices that \1 has been silent[\s\S]*↻ \1 is started again[\s\S]*✗ (host \d) is frozen[\s\S]*notices that \2 has been silent[\s\S]*↻ \2 goes on[\s\S]*\2 learns that it was taken for dead[\s\S]*\2 does not poll[\s\S]*the hosts are stopped[\s\S]*What happened:/,
  );
  expect(figure(output, 'messages sent')).toBeGreaterThan(50);
  expect(figure(output, 'answered')).toBe(figure(output, 'messages sent'));
  expect(figure(output, 'lost')).toBe(0);
  expect(figure(output, 'no poll after SIGKILL')).toBeLessThan(10);
  expect(figure(output, 'no poll after SIGSTOP')).toBeLessThan(20);
  expect(output).toMatch(/^ {2}exit codes +0 0 0$/m);
  expect(output).toContain('Nothing was lost');
  expect(output).not.toMatch(/postgres:\/\/|Warning|undefined|NaN/);
  expect(() => process.kill(-group, 0)).toThrow('ESRCH');
  // The server is in a group of its own.
  expect(commandsNaming(folder.path)).toEqual([]);
  expect(readdirSync(folder.path)).toEqual([]);
});

it('ends in order on Ctrl-C, and leaves nothing of its bot in a database that is given', async () => {
  await using server = await PostgresServer.start();
  const { username, password, host } = new URL(await server.createDatabase());
  const database = `postgres://${username}@${host}/test_1`;
  await using program = spawnDaemon({
    args: ['demo', '--hosts=2', `--database=${database}`],
    env: { PGPASSWORD: password },
    detached: true,
  });
  await program.prints(/people begin to chat/);
  process.kill(-(program.child.pid ?? Number.NaN), 'SIGINT');
  expect(await program.end(PATIENCE_MS)).toMatchObject({ code: 0 });
  expect(figure(program.output, 'lost')).toBe(0);
  expect(program.output).not.toContain(password);
  for (const table of ['pollers', 'hosts', 'updates', 'lanes', 'dead_letters', 'moves'])
    expect(await server.query(`select from lastcall.${table}`, 'test_1')).toEqual([]);
});

it.each([
  [['--hosts', '1'], "--hosts is '1': expected a number from 2 to 9"],
  [['--hosts=3', '--for=3s'], '--for: it is for one host'],
  [['--database=postgres://u@h/d'], '--database: it is for several hosts'],
  [['--hosts=3', '--database=postgres://u:a-secret@h/d'], '--database: it holds a password'],
  [['--hosts=3', '--database=mysql://u@h/d'], "--database is 'mysql://u@h/d': expected"],
])('refuses %j', async (args, words) => {
  await using program = spawnDaemon({ args: ['demo', ...args] });
  expect(await program.end()).toMatchObject({ code: 78 });
  expect(program.output).toContain(words);
  expect(program.output).not.toContain('a-secret');
});

it('ends with the code of a host that cannot start', async () => {
  await using program = spawnDaemon({
    args: ['demo', '--hosts=2'],
    env: { LASTCALL_CONCURRENCY: 'many' },
  });
  expect(await program.end(PATIENCE_MS)).toMatchObject({ code: 78 });
  expect(program.output).toContain('LASTCALL_CONCURRENCY is "many" in the environment');
});
