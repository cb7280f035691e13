/** `lastcall config`: prints the effective settings, the source of each, and what is wrong with them. */
import { parseArguments } from '../config/arguments.js';
import { type Reading, readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { type Config, type SettingKey, settingKeys, settings } from '../config/schema.js';
import { sourceInWords } from '../config/source.js';
import { ExitCode } from '../exit-code.js';
import { maskToken } from '../token.js';
import { columns } from './columns.js';
import type { CommandContext } from './command.js';

/** The parts of the process that the command uses. */
export interface ConfigIo {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: Pick<NodeJS.WritableStream, 'write'>;
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
  /** Cancels the reading of files. */
  readonly signal?: AbortSignal;
}

export const config = ({ args, signals, process }: CommandContext): Promise<number> => {
  const { env, stdout, stderr } = process;
  return configCommand(args, { env, cwd: process.cwd(), stdout, stderr, signal: signals.stopped });
};

/**
 * Prints the settings as a table, or as JSON with `--json`. Resolves to the exit code: 0, or 78 if the daemon would not
 * start with the settings. Rejects with the signal's reason when the signal aborts.
 */
export async function configCommand(args: readonly string[], io: ConfigIo): Promise<number> {
  const { flags, options } = parseArguments(args, { options: { json: 'switch' } });
  const { env, cwd, signal } = io;
  const reading = await readSettings({ env, cwd, flags, ...(signal && { signal }) });
  io.stdout.write(options.has('json') ? asJson(reading) : asTable(reading));

  const { problems, warnings } = reading;
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
  if (problems.length === 0) return ExitCode.clean;
  io.stderr.write(`${invalid(problems).message}\n`);
  return ExitCode.configuration;
}

interface Row {
  readonly name: string;
  /** Undefined if the setting has no value, or an invalid one. */
  readonly value: string | undefined;
  readonly source: string;
  readonly usable: boolean;
  /** Describes what applies if the setting has no value. */
  readonly fallback: string;
}

function rowOf<K extends SettingKey>(reading: Reading, key: K): Row {
  const { name, secret, fallback } = settings[key];
  const value: Config[K] | undefined = reading.values[key];
  const source = reading.sources[key];
  const text = value === undefined ? '' : settings[key].type.print(value);
  return {
    name,
    value: text === '' ? undefined : secret ? maskToken(text) : text,
    source: source ? sourceInWords(source) : '',
    usable: key in reading.values,
    fallback,
  };
}

function asTable(reading: Reading): string {
  const rows = settingKeys.map((key) => rowOf(reading, key));
  return columns(
    rows.map(({ name, value, source, usable, fallback }) => [
      name,
      usable ? (value ?? `(${fallback})`) : '(cannot be used)',
      source,
    ]),
  );
}

function asJson(reading: Reading): string {
  const rows = settingKeys.map((key) => rowOf(reading, key));
  const inForce = Object.fromEntries(
    rows.map(({ name, value, source, usable }) => [name, { value: value ?? null, source, usable }]),
  );
  const problems = reading.problems.map(({ sentence }) => sentence);
  return `${JSON.stringify({ settings: inForce, warnings: reading.warnings, problems }, undefined, 2)}\n`;
}
