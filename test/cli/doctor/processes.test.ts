import { describe, expect, it } from '@jest/globals';
import { commands } from '../../../src/cli/commands.js';
import {
  commandNames,
  commandOf,
  environmentOf,
  type FoundProcess,
  fileAfterRun,
  isLastcall,
  mayPoll,
  processInWords,
  wrapperOf,
} from '../../../src/cli/doctor/processes.js';

import { Folder } from '../../support/folder.js';

const TOKEN = '123456789:A-TOKEN-OF-A-TEST-NOT-SECRET-AT-ALL';
const file = '/srv/bot/bot.js';
const made = (pid: number, argv: readonly string[], more: Partial<FoundProcess> = {}): FoundProcess => ({
  ...{ pid, ppid: 1, argv, env: {}, cwd: '/' },
  ...more,
});
const withToken = { env: { BOT_TOKEN: TOKEN } };

describe('processes of lastcall', () => {
  it.each([
    [['node', '/srv/node_modules/lastcall/dist/main.js', 'run', 'bot.js'], true],
    [['node', 'node_modules/.bin/lastcall', 'run'], true],
    [['node', '/srv/node_modules/lastcall/dist/main.js', 'doctor'], false],
    [['node', 'bot.js'], false],
  ])('%j: %p', (argv, is) => expect(isLastcall(made(1, argv))).toBe(is));

  it('are known under pm2, too', () => {
    const env = { pm_exec_path: '/srv/node_modules/lastcall/dist/main.js' };
    expect(isLastcall(made(1, ['node /srv'], { env }))).toBe(true);
    const container = ['node', '/usr/lib/node_modules/pm2/lib/ProcessContainerFork.js'];
    const checkout = { env: { pm_exec_path: '/srv/checkout/dist/main.js', args: 'run,bot.js' } };
    expect(isLastcall(made(1, [...container, 'run', 'bot.js'], checkout))).toBe(true);
    expect(isLastcall(made(1, ['node /srv/checkout/dist/main.js'], checkout))).toBe(true);
    expect(commandOf(made(1, ['node /srv'], checkout)).slice(1)).toEqual(['run', 'bot.js']);
    const nest = { env: { pm_exec_path: '/srv/nest/dist/main.js', args: '' } };
    expect(isLastcall(made(1, container, nest))).toBe(false);
    using folder = new Folder({
      'package.json': '{ "name": "lastcall" }',
      'web/package.json': '{ "name": "web" }',
    });
    const titled = (...path: readonly string[]) => {
      const script = folder.file(...path);
      return made(1, [`node ${script}`], { env: { pm_exec_path: script } });
    };
    expect(isLastcall(titled('dist', 'main.js'))).toBe(true);
    expect(isLastcall(titled('web', 'dist', 'main.js'))).toBe(false);
  });

  it('have what pm2 knows of them in JSON, in its cluster mode', () => {
    const inside = JSON.stringify({
      pm_id: 0,
      args: ['run', 'bot.js'],
      env: { A: '1' },
      kill_timeout: 1_600,
    });
    expect(environmentOf(['PATH=/bin', `pm2_env=${inside}`])).toMatchObject({
      ...{ PATH: '/bin', pm_id: '0', args: 'run,bot.js', kill_timeout: '1600' },
    });
  });

  it('are told by the commands that there are', () => {
    expect([...commandNames].sort()).toEqual(Object.keys(commands).sort());
  });
});

describe('the file of a bot in a command', () => {
  it.each([
    [['node', '/srv/dist/main.js', 'run', 'bot.js'], 'bot.js'],
    [['npx', 'lastcall', 'run', 'bot.js', '--', 'run', 'x'], 'bot.js'],
    [['lastcall', 'run', '--log-level=debug'], undefined],
    [['npm', 'run', 'start:lastcall'], undefined],
  ])('%j: %p', (argv, file) => expect(fileAfterRun(argv)).toBe(file));
});

describe('processes that may poll', () => {
  const suspects = (...processes: readonly FoundProcess[]) =>
    mayPoll(processes, { token: TOKEN, file }).map(({ pid }) => pid);

  it('have the token, or run the file', () => {
    expect(suspects(made(2, ['/usr/bin/python3', 'bot.py'], withToken))).toEqual([2]);
    expect(suspects(made(3, ['node', 'bot.js'], { cwd: '/srv/bot' }))).toEqual([3]);
    expect(suspects(made(4, ['node', 'bot.js'], { cwd: '/srv/other' }))).toEqual([]);
  });

  it('may be called as lastcall’s file is, as a compiled bot is', () => {
    expect(suspects(made(2, ['node', 'dist/main.js'], withToken))).toEqual([2]);
    expect(suspects(made(3, ['node', '/srv/shop/dist/main.js', '--web'], withToken))).toEqual([3]);
    expect(suspects(made(4, ['node', '/srv/node_modules/lastcall/dist/main.js'], withToken))).toEqual([]);
  });

  it('are no shells, no editors, none of lastcall and of its bots', () => {
    const ours = made(5, ['node', '/dist/main.js', 'run', 'bot.js'], { ...withToken, cwd: '/srv/bot' });
    const child = made(6, ['node', 'worker.js'], { ...withToken, ppid: 5 });
    const sandbox = made(7, ['node', '/dist/main.js', 'sandbox'], withToken);
    expect(
      suspects(ours, child, sandbox, made(8, ['bash'], withToken), made(9, ['vim', file], withToken)),
    ).toEqual([]);
  });
});

describe('what has started a process', () => {
  const above = (command: string) => ({ commandOf: () => command, parentOf: () => undefined });
  const npm = { env: { npm_command: 'exec' }, ppid: 6 };

  it('may keep its signals from it', () => {
    expect(wrapperOf(made(7, [], npm), false, above('npm exec lastcall'))).toEqual({ name: 'npm', pid: 6 });
    expect(wrapperOf(made(7, [], { ppid: 6 }), true, above('sh -c lastcall run'))).toEqual({
      name: 'a shell',
      pid: 6,
    });
  });

  it('does not, if it is a shell of a host, the supervisor, or pm2', () => {
    expect(wrapperOf(made(7, []), false, above('sh -c lastcall run'))).toBeUndefined();
    expect(wrapperOf(made(7, []), true, above('/sbin/tini'))).toBeUndefined();
    const inPm2 = { ...npm, env: { ...npm.env, pm_id: '0' } };
    expect(wrapperOf(made(7, [], inPm2), true, above('npm start'))).toBeUndefined();
  });
});

describe('a process in words', () => {
  it('shows no part of a token, also where its command line is cut', () => {
    const short = made(7, ['node', '/srv/shop/index.js', `--token=${TOKEN}`]);
    expect(processInWords(short)).toBe('process 7 (node /srv/shop/index.js --token=123456789:***)');
    const long = made(7, ['node', '/srv/a-shop-with-a-name/index.js', `--token=${TOKEN}`, '--verbose']);
    expect(processInWords(long)).toBe(
      'process 7 (node /srv/a-shop-with-a-name/index.js --token=123456789:*** …)',
    );
  });
});
