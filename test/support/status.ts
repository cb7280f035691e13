/** What a bot's process tells on its socket, and what `lastcall status` makes of it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../../src/cli/status/ask.js';
import { parseReport, type StatusReport } from '../../src/observe/status/report.js';
import { SOCKET } from '../../src/observe/status/socket-name.js';
import { spawnDaemon } from './daemon.js';

const PATIENCE_MS = 10_000;

/** The only bot's folder in a state directory. */
export function botFolder(stateDir: string): string {
  const [key = ''] = existsSync(stateDir) ? readdirSync(stateDir) : [];
  return join(stateDir, key);
}

/** Asks until the report is as it is to be, and returns it. */
export async function reportWhen(
  stateDir: string,
  isRight: (report: StatusReport) => boolean,
  socket = SOCKET,
): Promise<StatusReport> {
  let last: unknown;
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(20)) {
    const asked = await ask(botFolder(stateDir), socket, 'GET', '/status');
    last = asked;
    const report = asked.kind === 'answered' ? parseReport(asked.body) : undefined;
    if (report && isRight(report)) return report;
  }
  throw new Error(`the report has not become right: ${JSON.stringify(last)}`);
}

export interface StatusRun {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `lastcall status` to its end. */
export async function status(stateDir: string, ...args: readonly string[]): Promise<StatusRun> {
  await using program = spawnDaemon({ args: ['status', ...args], env: { STATE_DIR: stateDir } });
  const { code } = await program.end();
  return { code, output: program.output };
}

/** What `lastcall status --json` says of the only bot of a state directory. */
export async function seenBot(
  stateDir: string,
): Promise<{ readonly inboxBytes?: unknown; readonly restartsToday?: unknown }> {
  const { output } = await status(stateDir, '--json');
  return JSON.parse(output).bots[0];
}
