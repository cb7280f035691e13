/** Whole daemons that share one inbox, with a sandbox in this process in Telegram's place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSandbox } from '../../../dist/sandbox/sandbox.js';

const root = join(import.meta.dirname, '..', '..', '..');
const command = [
  join(root, 'dist', 'main.js'),
  'run',
  join(root, 'test', 'fixtures', 'bench', 'telegraf', 'waits.mjs'),
];

const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 20;

/** Resolves with the milliseconds from the arrival of all updates until none is left, neither at Telegram nor in the inbox. */
export async function throughDaemons(database, { daemons, handlerMs, updates }) {
  const sandbox = await startSandbox();
  const env = {
    PATH: process.env.PATH,
    HOME: tmpdir(),
    BOT_TOKEN: sandbox.token,
    TELEGRAM_API_ROOT: sandbox.apiRoot,
    INBOX: database.url,
    HANDLER_MS: `${handlerMs}`,
    LOG_LEVEL: 'warn',
  };
  const children = Array.from({ length: daemons }, () =>
    spawn(process.execPath, command, { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'inherit', 'ignore'] }),
  );
  const exits = children.map((child) => once(child, 'exit'));
  const logs = children.map(({ stdout }) => text(stdout));
  try {
    await until(async () => (await count(database, 'hosts')) === daemons);
    await sandbox.waitFor(() => sandbox.state().waitingPolls > 0, PATIENCE_MS);
    const from = performance.now();
    sandbox.addUpdates(updates);
    await sandbox.waitFor(() => sandbox.state().queued === 0, PATIENCE_MS);
    await until(async () => (await count(database, 'updates')) === 0);
    return performance.now() - from;
  } finally {
    for (const child of children) child.kill('SIGTERM');
    const codes = await Promise.all(exits);
    await sandbox.close();
    // What has gone wrong is not known otherwise.
    if (codes.some(([code]) => code !== 0)) console.error((await Promise.all(logs)).join(''));
  }
}

/** The rows of a table of lastcall's; NaN while there is none. */
const count = (database, table) =>
  database.number(`select count(*) from lastcall.${table}`).catch(() => Number.NaN);

async function until(isSo) {
  for (const end = performance.now() + PATIENCE_MS; !(await isSo()); await sleep(LOOK_EVERY_MS))
    if (performance.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${isSo}`);
}
