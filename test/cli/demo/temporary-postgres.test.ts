/** A server that does not start, from programs that stand in for it. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import {
  TemporaryPostgres,
  type TemporaryPostgresOptions,
} from '../../../src/cli/demo/temporary-postgres.js';
import { Folder } from '../../support/folder.js';

/** Programs of which the server neither starts nor fails, and hears of no signal that a program can ignore. */
function deafPrograms(): Folder {
  const folder = new Folder({
    initdb: '#!/bin/sh\n',
    postgres: '#!/bin/sh\ntrap "" INT QUIT TERM\necho "LOG:  is deaf" >&2\nwhile :; do sleep 0.05; done\n',
  });
  // They run as nobody where this process is root.
  for (const path of [folder.path, folder.file('initdb'), folder.file('postgres')]) chmodSync(path, 0o755);
  return folder;
}

class Server extends TemporaryPostgres {
  constructor(options: TemporaryPostgresOptions) {
    super(1, options);
  }

  run(): Promise<void> {
    return this.begin();
  }

  get isLeft(): boolean {
    return existsSync(join(this.dataFolder, '..'));
  }
}

it('is given up in time, and nothing is left', async () => {
  using programs = deafPrograms();
  const server = new Server({ programs: programs.path, startWithinMs: 500 });
  await expect(server.run()).rejects.toMatchObject({
    code: 'DEMO_WITHOUT_DATABASE',
    message: expect.stringMatching(/has not started within 0\.5 s: LOG: {2}is deaf/),
  });
  expect(server.isLeft).toBe(false);
}, 10_000);

it('is given up at once on a stop', async () => {
  using programs = deafPrograms();
  const stop = new AbortController();
  const server = new Server({ programs: programs.path, signal: stop.signal });
  const run = expect(server.run()).rejects.toThrow('a stop');
  stop.abort(new Error('a stop'));
  await run;
  expect(server.isLeft).toBe(false);
}, 10_000);
