import { describe, expect, it } from '@jest/globals';
import {
  type FoundProcess,
  isLastcall,
  mayPoll,
  processInWords,
  wrapperOf,
} from '../../../src/cli/doctor/processes.js';

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
  });
});

describe('processes that may poll', () => {
  const suspects = (...processes: readonly FoundProcess[]) =>
    mayPoll(processes, { token: TOKEN, file }).map(({ pid }) => pid);

  it('have the token, or run the file', () => {
    expect(suspects(made(2, ['/usr/bin/python3', 'bot.py'], withToken))).toEqual([2]);
    expect(suspects(made(3, ['node', 'bot.js'], { cwd: '/srv/bot' }))).toEqual([3]);
    expect(suspects(made(4, ['node', 'bot.js'], { cwd: '/srv/other' }))).toEqual([]);
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
    const long = made(7, ['node', '/srv/a-bot-with-a-long-name/index.js', `--token=${TOKEN}`]);
    expect(processInWords(long)).toBe(
      'process 7 (node /srv/a-bot-with-a-long-name/index.js --token=123456789:…)',
    );
  });
});
