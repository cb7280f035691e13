/** Runs `lastcall doctor` of the built program. */
import type { Finding } from '../../src/cli/doctor/finding.js';
import { spawnDaemon } from './daemon.js';
import type { TestBed } from './delivery.js';

export interface DoctorRun {
  readonly code: number | null;
  readonly output: string;
  readonly findings: readonly (Finding & { readonly group: string })[];
  readonly tookMs: number;
}

export interface DoctorOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Runs it for the bot of the sandbox, with `--json`, to its end. */
export async function doctor(
  { apiRoot, stateDir, token }: Pick<TestBed, 'apiRoot' | 'stateDir' | 'token'>,
  { args = [], env = {}, cwd }: DoctorOptions = {},
): Promise<DoctorRun> {
  const from = performance.now();
  await using program = spawnDaemon({
    args: ['doctor', '--json', ...args],
    env: { BOT_TOKEN: token, TELEGRAM_API_ROOT: apiRoot, STATE_DIR: stateDir, ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const { code, at } = await program.end();
  const { output } = program;
  return { code, output, findings: JSON.parse(output).findings, tookMs: at - from };
}
