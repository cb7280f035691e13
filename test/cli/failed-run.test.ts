import { execFile, execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import type { ProcessContext } from '../../src/cli/command.js';
import { commands } from '../../src/cli/commands.js';
import { noteFailedRun } from '../../src/cli/failed-run.js';
import { run } from '../../src/cli/run.js';
import type { Reading } from '../../src/config/load.js';
import type { Signals } from '../../src/host/signals.js';
import { readFailedStarts } from '../../src/observe/history/failed-starts.js';
import { Folder } from '../support/folder.js';
import { newToken } from '../support/token.js';

/** Starts with settings that cannot be used, and notes it. Returns the texts of the note. */
async function failedStart(folder: Folder, env: NodeJS.ProcessEnv): Promise<string> {
  let reading: Reading | undefined;
  const signals: Signals = { stopped: new AbortController().signal, subscribe: () => {} };
  const context: ProcessContext = {
    ...{ args: ['bot.js'], env: { STATE_DIR: folder.file('state'), ...env }, cwd: () => folder.path },
    ...{
      stdout: process.stdout,
      stderr: process.stderr,
      signal: signals.stopped,
      signals,
      process,
      commands,
    },
    settingsRead: (read) => {
      reading = read;
    },
  };
  const error = await run(context).catch((thrown: unknown) => thrown);
  if (reading) noteFailedRun(context, reading, error);
  return JSON.stringify(readFailedStarts(folder.file('state')));
}

describe('a run that ends before it is composed', () => {
  it('is noted without reading a pipe again, into which nobody writes a second time', async () => {
    using folder = new Folder();
    const token = newToken();
    for (const pipe of ['.env', 'token']) execFileSync('mkfifo', [folder.file(pipe)]);
    const written = execFile('sh', ['-c', `echo LASTCALL_CONCURRENCY=none >.env; echo ${token} >token`], {
      cwd: folder.path,
    });
    const note = await failedStart(folder, { BOT_TOKEN_FILE: folder.file('token') });
    expect(written.exitCode ?? 0).toBe(0);
    expect(note).toMatch(/"code":"CONFIG_INVALID","culprit":"CONCURRENCY".*\/bot\.js"/);
  });

  it('leaves no secret in the note', async () => {
    using folder = new Folder();
    const [token, inbox] = [newToken(), 'postgres://me:hunter22@db/bots'];
    const note = await failedStart(folder, {
      ...{ BOT_TOKEN: token, INBOX: inbox, PGPASSWORD: 'hunter23', https_proxy: 'http://me:hunter24@proxy' },
      LASTCALL_CONCURRENCY: `${token} ${inbox} hunter23 hunter24`,
    });
    expect(note).toContain('CONFIG_INVALID');
    expect(note).not.toMatch(/hunter2/);
    expect(note).not.toContain(token.split(':')[1]);
  });
});
