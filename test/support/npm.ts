/** npm and what it installs, as people run them: in a child process, in a folder of their own. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs to the end, whatever that is; with the environment of the tests, but without lastcall's own settings, and without the
 * state folder of the user, in which a start that fails would be noted.
 */
export async function execute(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ended> {
  const { BOT_TOKEN: _, ...inherited } = process.env;
  try {
    const all = { ...inherited, XDG_STATE_HOME: join(cwd, 'state'), ...env };
    const printed = await run(program, args, { cwd, env: all, timeout: 120_000 });
    return { code: 0, ...printed };
  } catch (error) {
    if (isExit(error)) return error;
    throw error;
  }
}

function isExit(error: unknown): error is Ended {
  const isObject = typeof error === 'object' && error !== null;
  return isObject && 'code' in error && typeof error.code === 'number' && 'stdout' in error;
}
