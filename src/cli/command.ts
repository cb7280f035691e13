/** Arguments → command → exit code. Each command is a file of its own, loaded only when it is asked for. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Signals } from '../host/signals.js';
import { isJournal, withPriority } from '../logging/journal.js';
import { ignoreErrors } from '../logging/log-stream.js';
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
  inbox: async () => (await import('./inbox.js')).inbox,
  demo: async () => (await import('./demo.js')).demo,
  sandbox: async () => {
    const { sandboxCommand } = await import('./sandbox.js');
    return ({ args, signals, process: { stdout, stderr } }) =>
      sandboxCommand(args, { stdout, stderr, stop: signals.stopped });
  },
  unit: async () => (await import('./unit.js')).unit,
  help: async () => (await import('./help.js')).help,
  version: async () => (await import('./help.js')).version,
};

export const commandNames: readonly string[] = Object.keys(commands);

const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/** Runs the command that the arguments name; resolves to the exit code, never rejects. */
export async function runCommand(
  [first = 'help', ...args]: readonly string[],
  signals: Signals,
): Promise<number> {
  // Whoever read our output may have gone (`| head`): that ends nothing by itself.
  for (const stream of [process.stdout, process.stderr]) ignoreErrors(stream);
  const name = asksForHelp(args) ? 'help' : (aliases[first] ?? first);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    complain(noCommand(first));
    return ExitCode.configuration;
  }
  try {
    const command = await load();
    return await command({ args, signals, process });
  } catch (error) {
    // A stop that came before there was anything to stop.
    if (signals.stopped.aborted && error === signals.stopped.reason) return ExitCode.clean;
    complain(explain(error));
    return error instanceof LastcallError ? error.exitCode : ExitCode.fault;
  }
}

/** What keeps the command from its work, on stderr; an error also where that is the journal. */
function complain(text: string): void {
  const { stderr, env } = process;
  const masked = maskTokens(`lastcall: ${text}\n`);
  stderr.write(isJournal(env, stderr.fd) ? withPriority('error', masked) : masked);
}

/** `--help` may stand anywhere; what stands behind `--` is the bot program's. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const ours = end < 0 ? args : args.slice(0, end);
  return ours.some((argument) => aliases[argument] === 'help');
}

function noCommand(first: string): string {
  const looksLikeFile = /[./\\]/.test(first);
  if (looksLikeFile) return `to run the bot in a file, say: lastcall run ${first}`;
  return `'${first}' is no command; there are ${commandNames.join(', ')}`;
}

/** What happened and what to do about it, without a stack where the error is one of lastcall's own. */
function explain(error: unknown): string {
  if (error instanceof LastcallError) return `${error.message}\nWhat to do: ${error.nextStep}`;
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
