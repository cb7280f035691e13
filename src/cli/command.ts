/** Arguments → command → exit code. Each command is a file of its own, loaded only when it is asked for. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Signals } from '../host/signals.js';
import { maskTokens } from '../token.js';

/** What a command is given of the process it runs in. */
export interface CommandContext {
  /** Those behind the command's name. */
  readonly args: readonly string[];
  readonly signals: Signals;
  readonly process: NodeJS.Process;
}

type Command = (context: CommandContext) => Promise<number>;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).run,
  config: async () => (await import('./config.js')).config,
  demo: async () => (await import('./demo.js')).demo,
  sandbox: async () => {
    const { sandboxCommand } = await import('./sandbox.js');
    return ({ args, signals, process: { stdout, stderr } }) =>
      sandboxCommand(args, { stdout, stderr, stop: signals.stopped });
  },
  help: async () => (await import('./help.js')).help,
  version: async () => (await import('./help.js')).version,
};

const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/** Runs the command that the arguments name; resolves to the exit code, never rejects. */
export async function runCommand(
  [first = 'help', ...args]: readonly string[],
  signals: Signals,
): Promise<number> {
  const name = aliases[first] ?? first;
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    const known = Object.keys(commands).join(', ');
    process.stderr.write(`lastcall: '${maskTokens(first)}' is no command; there are ${known}\n`);
    return ExitCode.configuration;
  }
  try {
    const command = await load();
    return await command({ args, signals, process });
  } catch (error) {
    // A stop that came before there was anything to stop.
    if (signals.stopped.aborted && error === signals.stopped.reason) return ExitCode.clean;
    process.stderr.write(maskTokens(`lastcall: ${explain(error)}\n`));
    return error instanceof LastcallError ? error.exitCode : ExitCode.fault;
  }
}

/** What happened and what to do about it, without a stack where the error is one of lastcall's own. */
function explain(error: unknown): string {
  if (error instanceof LastcallError) return `${error.message}\nWhat to do: ${error.nextStep}`;
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
