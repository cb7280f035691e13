import { utimesSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { WatchedStateEvent } from '../../src/host/events.js';
import { watchedState } from '../../src/host/watcher.js';
import { Folder } from '../support/folder.js';
import { tableOf } from '../support/process-table.js';

const cwd = '/srv/bot';

/** Who would see the state in the folder: a process whose ancestors have these commands. */
function watchedBy(
  commands: readonly string[],
  folder: string,
  {
    env = {},
    files = {},
  }: { env?: Readonly<Record<string, string>>; files?: Readonly<Record<string, string>> } = {},
): WatchedStateEvent | undefined {
  const table = tableOf('init', ...commands);
  return watchedState(folder, { env, ppid: commands.length + 1, cwd, table, read: (path) => files[path] });
}

describe('nodemon', () => {
  const nodemon = 'node /srv/bot/node_modules/.bin/nodemon';

  it.each([
    ['its parent', [`${nodemon} lastcall run bot.js`]],
    ['installed for all', ['nodemon']],
    ['run as a file', ['/usr/bin/node /usr/lib/node_modules/nodemon/bin/nodemon.js bot.js']],
    ['behind a shell', [`${nodemon} --exec lastcall run bot.js`, 'sh -c lastcall run bot.js']],
    [
      'behind npx',
      [nodemon, 'sh -c npx lastcall run bot.js', 'npm exec lastcall run bot.js', 'sh -c lastcall'],
    ],
  ])('%s sees the state below the working directory, and how to keep it from that is told', (_, commands) => {
    expect(watchedBy(commands, `${cwd}/data/state`)).toEqual({
      event: 'state.watched',
      watcher: 'nodemon',
      folder: '/srv/bot/data/state',
      cure: 'start it with --ignore data/state/',
    });
  });

  it.each([
    ['outside the working directory', nodemon, '/var/lib/bot'],
    ['beside the working directory', nodemon, '/srv/bot-state'],
    ['in a folder whose name begins with a dot', nodemon, `${cwd}/.state`],
    ['in node_modules', nodemon, `${cwd}/node_modules/.cache/bot`],
    ['ignored', `${nodemon} --ignore data/ bot.js`, `${cwd}/data/state`],
    ['ignored by a pattern', `${nodemon} -i **/data/** bot.js`, `${cwd}/data/state`],
    ['not watched', `${nodemon} --watch src -w lib bot.js`, `${cwd}/data`],
    ['of types that are not watched', `${nodemon} -e ts,tsx bot.ts`, `${cwd}/data`],
  ])('leaves alone a state %s', (_, command, folder) => {
    expect(watchedBy([command], folder)).toBeUndefined();
  });

  it('is told to look elsewhere where the state is all of the working directory', () => {
    expect(watchedBy([nodemon], cwd)?.cure).toBe('let it watch the sources only');
  });

  it('is asked for its settings in files, too', () => {
    const settings = (path: string, value: unknown) => ({ [`${cwd}/${path}`]: JSON.stringify(value) });
    const seenWith = (files: Readonly<Record<string, string>>) =>
      watchedBy([nodemon], `${cwd}/data`, { files }) !== undefined;
    expect(seenWith(settings('nodemon.json', { ignore: ['data/*'] }))).toBe(false);
    expect(seenWith(settings('package.json', { nodemonConfig: { watch: ['src'], ext: 'js' } }))).toBe(false);
    expect(seenWith(settings('nodemon.json', { watch: 'data', ext: 'js,json' }))).toBe(true);
    expect(seenWith({ [`${cwd}/nodemon.json`]: 'torn' })).toBe(true);
  });

  it('is not seen where it only stands among the arguments', () => {
    expect(watchedBy(['vim notes-on nodemon'], `${cwd}/data`)).toBeUndefined();
  });
});

describe('node --watch-path', () => {
  const env = { WATCH_REPORT_DEPENDENCIES: '1' };

  it('sees the state in its path', () => {
    expect(watchedBy(['node --watch-path=. lastcall'], `${cwd}/data`, { env })).toMatchObject({
      watcher: 'node --watch-path',
      cure: 'let it watch the sources only',
    });
    expect(watchedBy(['node --watch-path . lastcall'], `${cwd}/.data`, { env })).toBeDefined();
    expect(watchedBy(['node --watch-path=./src lastcall'], `${cwd}/data`, { env })).toBeUndefined();
  });

  it('without a path watches only what is imported', () => {
    expect(watchedBy(['node --watch lastcall'], `${cwd}/data`, { env })).toBeUndefined();
  });
});

describe("pm2's watch", () => {
  const app = { pm_id: '0', pm_cwd: cwd, watch: 'true' };
  const cluster = { ...app, exec_mode: 'cluster_mode' };
  const inCluster = (folder: string, more: Readonly<Record<string, string>> = {}) =>
    watchedBy(['PM2 v7.0.4: God Daemon (/root/.pm2)'], folder, { env: { ...cluster, ...more } });

  it('sees the state below the folder of the app', () => {
    expect(inCluster(`${cwd}/data`)).toMatchObject({
      watcher: 'pm2',
      cure: "have ignore_watch: ['data', 'node_modules'] in the app's settings",
    });
    expect(inCluster(`${cwd}/data`, { watch: 'src,./data' })).toBeDefined();
  });

  it('leaves alone a state that is outside, not watched, or ignored', () => {
    expect(inCluster('/var/lib/bot')).toBeUndefined();
    expect(inCluster(`${cwd}/.data`)).toBeUndefined();
    expect(inCluster(`${cwd}/data`, { watch: 'false' })).toBeUndefined();
    expect(inCluster(`${cwd}/data`, { watch: 'src,lib' })).toBeUndefined();
    expect(inCluster(`${cwd}/data`, { ignore_watch: 'data,node_modules' })).toBeUndefined();
  });

  it('is told of in fork mode, where its list of what to ignore is not known, once it has restarted the bot', () => {
    const record = { phase: 'stopped', sinceMs: 1, pid: 1, supervisor: 'pm2' };
    using folder = new Folder({ 'data/7-ab/last-run.json': JSON.stringify(record) });
    const [data, file] = [folder.file('data'), folder.file('data/7-ab/last-run.json')];
    const told = (state: string) =>
      watchedState(state, { env: { ...app, pm_cwd: folder.path }, ppid: 1, cwd: folder.path }) !== undefined;
    expect(told(data)).toBe(true);
    expect(told(folder.file('new'))).toBe(false);
    expect(told(file)).toBe(false);
    utimesSync(file, new Date(0), new Date(0));
    expect(told(data)).toBe(false);
    folder.write('data/7-ab/last-run.json', JSON.stringify({ ...record, phase: 'running' }));
    expect(told(data)).toBe(false);
  });
});
