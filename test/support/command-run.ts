/** Runs a command of the program within the test, and returns what it prints. */
import { Writable } from 'node:stream';
import type { CommandContext } from '../../src/cli/command.js';

export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the root of the file system. */
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Whether stdout is a terminal. */
  readonly isTTY?: boolean;
}

/** Rejects as the command does. */
export async function runCommand(
  command: (context: CommandContext) => Promise<number>,
  args: readonly string[],
  { env = {}, cwd = '/', signal = new AbortController().signal, isTTY = false }: CommandRunOptions = {},
): Promise<CommandRun> {
  const printed = { stdout: '', stderr: '' };
  const to = (stream: keyof typeof printed) =>
    new Writable({
      write(chunk, _encoding, taken) {
        printed[stream] += chunk;
        taken();
      },
    });
  const stdout = Object.assign(to('stdout'), { isTTY });
  const exitCode = await command({ args, env, cwd: () => cwd, stdout, stderr: to('stderr'), signal });
  return { exitCode, ...printed };
}
