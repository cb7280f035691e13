/** Runs the command that the arguments name. Each command has its own file, which is loaded on demand. */
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Signals } from '../host/signals.js';
import { isJournald, withPriority } from '../logging/journald.js';
import { ignoreErrors } from '../logging/log-stream.js';
import { maskTokens } from '../token.js';
import { asksForHelp } from './split-arguments.js';

/** The parts of the process that most commands use. */
export interface CommandContext {
  /** The arguments after the command's name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: () => string;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
  /** Aborts on the first stop signal. */
  readonly signal: AbortSignal;
}

/** The whole process, for commands that run a bot or describe the process. */
export interface ProcessContext extends CommandContext {
  readonly signals: Signals;
  readonly process: NodeJS.Process;
}

type Command = (context: ProcessContext) => Promise<number>;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.js')).run,
  config: async () => (await import('./config.js')).config,
  inbox: async () => (await import('./inbox.js')).inbox,
  demo: async () => (await import('./demo.js')).demo,
  sandbox: async () => (await import('./sandbox.js')).sandbox,
  probe: async () => (await import('./probe.js')).probe,
  unit: async () => (await import('./unit.js')).unit,
  help: async () => (await import('./help.js')).help,
  version: async () => (await import('./help.js')).version,
};

export const commandNames: readonly string[] = Object.keys(commands);

/** The commands that have a help of their own. */
const HELPS_ITSELF: readonly string[] = ['sandbox', 'unit'];

const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/** Runs a command. Resolves to the exit code and never rejects. */
export async function runCommand(
  [first = 'help', ...args]: readonly string[],
  signals: Signals,
): Promise<number> {
  // A reader that stops early (`| head`) must not end the command.
  for (const stream of [process.stdout, process.stderr]) ignoreErrors(stream);
  const name = asksForHelp(args) && !HELPS_ITSELF.includes(first) ? 'help' : (aliases[first] ?? first);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    printError(unknownCommand(first));
    return ExitCode.configuration;
  }
  try {
    const command = await load();
    const { env, stdout, stderr } = process;
    const cwd = () => process.cwd();
    return await command({ args, env, cwd, stdout, stderr, signal: signals.stopped, signals, process });
  } catch (error) {
    // The stop came before the command had started anything.
    if (signals.stopped.aborted && error === signals.stopped.reason) return ExitCode.clean;
    printError(explain(error));
    return error instanceof LastcallError ? error.exitCode : ExitCode.fault;
  }
}

/** Writes an error to stderr, with the priority of an error if stderr leads to journald. */
function printError(text: string): void {
  const { stderr, env } = process;
  const masked = maskTokens(`lastcall: ${text}\n`);
  stderr.write(isJournald(env, stderr.fd) ? withPriority('error', masked) : masked);
}

function unknownCommand(first: string): string {
  const looksLikeFile = /[./\\]/.test(first);
  if (looksLikeFile) return `to run the bot in a file, use: lastcall run ${first}`;
  return `'${first}' is not a command; expected one of ${commandNames.join(', ')}`;
}

/** Describes an error: message and next step of a LastcallError, the stack of any other. */
function explain(error: unknown): string {
  if (error instanceof LastcallError) return `${error.message}\nWhat to do: ${error.nextStep}`;
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
