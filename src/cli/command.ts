/** Runs the command that the arguments name. Each command has its own file, which is loaded on demand. */
import type { Reading } from '../config/load.js';
import type { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import type { Signals } from '../host/signals.js';
import { isJournald, withPriority } from '../logging/journald.js';
import { ignoreErrors } from '../logging/log-stream.js';
import { maskTokens } from '../token.js';
import { type Commands, commandNames, commands, findCommand } from './commands.js';
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
  /** What there is to describe, and to complete. */
  readonly commands: Commands;
  /** Takes what `run` has read of the settings, also where they cannot be used. */
  readonly settingsRead: (reading: Reading) => void;
}

const aliases: Readonly<Record<string, string>> = { '--help': 'help', '-h': 'help', '--version': 'version' };

/** Runs a command. Resolves to the exit code and never rejects. */
export async function runCommand(
  [first = 'help', ...args]: readonly string[],
  signals: Signals,
): Promise<number> {
  // A reader that stops early (`| head`) must not end the command.
  for (const stream of [process.stdout, process.stderr]) ignoreErrors(stream);
  const name = aliases[first] ?? first;
  const entry = findCommand(name);
  if (!entry) {
    printError(unknownCommand(first));
    return ExitCode.configuration;
  }
  const { env, stdout, stderr } = process;
  const cwd = () => process.cwd();
  let reading: Reading | undefined;
  const settingsRead = (read: Reading) => {
    reading = read;
  };
  const context: ProcessContext = {
    ...{ args, env, cwd, stdout, stderr, signal: signals.stopped },
    ...{ signals, process, commands, settingsRead },
  };
  try {
    if (asksForHelp(args)) return await (await import('./help.js')).helpOn(name, context);
    const command = await entry.load();
    return await command(context);
  } catch (error) {
    // The stop came before the command had started anything.
    if (signals.stopped.aborted && error === signals.stopped.reason) return ExitCode.clean;
    printError(explain(error));
    if (reading) await noteFailedRun(context, reading, error);
    return isLastcallError(error) ? error.exitCode : ExitCode.fault;
  }
}

/** Keeps the error for `lastcall history`. Never rejects: the error itself has been told. */
async function noteFailedRun(context: ProcessContext, reading: Reading, error: unknown): Promise<void> {
  try {
    (await import('./failed-run.js')).noteFailedRun(context, reading, error);
  } catch {}
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

/** Commands are bundled apart from the daemon, whose start they would delay, each with the class of such errors. */
const isLastcallError = (error: unknown): error is LastcallError =>
  error instanceof Error && error.name === 'LastcallError';

/** Describes an error: message and next step of a LastcallError, the stack of any other. */
function explain(error: unknown): string {
  if (isLastcallError(error)) return `${error.message}\nWhat to do: ${error.nextStep}`;
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
