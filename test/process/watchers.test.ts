/** Watchers that restart the bot when a file changes: what the start says where they see the state. */
import { describe, expect, it, jest } from '@jest/globals';
import { fixture, mainFile, spawnDaemon } from '../support/daemon.js';
import { openSandbox } from '../support/delivery.js';
import { Folder } from '../support/folder.js';

jest.setTimeout(30_000);

/** Starts a command as nodemon does; only its name is nodemon's. */
const nodemon = `
  const { spawn } = require('node:child_process');
  spawn('sh', ['-c', process.argv.slice(3).join(' ') + '; true'], { stdio: 'inherit' });`;

describe('a watcher', () => {
  it.each([
    ['node --watch-path', { nodeArgs: ['--watch-path=.'], args: [] }],
    ['nodemon', { file: 'nodemon.js', args: ['--exec', process.execPath, mainFile] }],
  ])('%s that sees the state is named at the start', async (watcher, { args, ...how }) => {
    await using sandbox = await openSandbox();
    using folder = new Folder({ 'nodemon.js': nodemon });
    await using daemon = spawnDaemon({
      ...how,
      args: [...args, 'run', fixture('modules', 'echo.mjs')],
      cwd: folder.path,
      env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot, STATE_DIR: 'data' },
      detached: true,
    });
    expect(await daemon.waitFor('state.watched')).toMatchObject({
      level: 'warn',
      watcher,
      folder: folder.file('data'),
    });
  });

  it('that watches what is imported only is no cause for a warning', async () => {
    await using sandbox = await openSandbox();
    using folder = new Folder();
    await using daemon = spawnDaemon({
      nodeArgs: ['--watch'],
      args: ['run', fixture('modules', 'echo.mjs')],
      cwd: folder.path,
      env: { BOT_TOKEN: sandbox.token, TELEGRAM_API_ROOT: sandbox.apiRoot, STATE_DIR: 'data' },
      detached: true,
    });
    await daemon.waitFor('poll.started');
    expect(daemon.events()).not.toContain('state.watched');
  });
});
