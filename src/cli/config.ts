/** `lastcall config`: the settings in force, where each came from, and what is wrong with them. */
import { parseArguments } from '../config/arguments.js';
import { type Reading, readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { type Config, type SettingKey, settingKeys, settings } from '../config/schema.js';
import { sourceInWords } from '../config/source.js';
import { ExitCode } from '../exit-code.js';
import { maskToken } from '../token.js';
import type { CommandContext } from './command.js';

/** The parts of the process that the command touches. */
export interface ConfigIo {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdout: Pick<NodeJS.WritableStream, 'write'>;
  readonly stderr: Pick<NodeJS.WritableStream, 'write'>;
  /** Ends the reading of files. */
  readonly signal?: AbortSignal;
}

export const config = ({ args, signals, process }: CommandContext): Promise<number> => {
  const { env, stdout, stderr } = process;
  return configCommand(args, { env, cwd: process.cwd(), stdout, stderr, signal: signals.stopped });
};

/**
 * Prints the settings, as a table or with `--json` as one object; resolves to the exit code: 0, or 78 when the daemon
 * would not start with them. Rejects with the signal's reason when it aborts.
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
  /** Undefined when it is not set and has no default, or cannot be used. */
  readonly value: string | undefined;
  readonly source: string;
  readonly usable: boolean;
  /** What holds instead of a value. */
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
  const shown = rows.map(({ name, value, source, usable, fallback }) => [
    name,
    usable ? (value ?? `(${fallback})`) : '(cannot be used)',
    source,
  ]);
  const widths = [0, 1].map((column) => Math.max(...shown.map((cells) => cells[column]?.length ?? 0)));
  const lines = shown.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function asJson(reading: Reading): string {
  const rows = settingKeys.map((key) => rowOf(reading, key));
  const inForce = Object.fromEntries(
    rows.map(({ name, value, source, usable }) => [name, { value: value ?? null, source, usable }]),
  );
  const problems = reading.problems.map(({ sentence }) => sentence);
  return `${JSON.stringify({ settings: inForce, warnings: reading.warnings, problems }, undefined, 2)}\n`;
}
