/** `lastcall config`: prints the effective settings, their sources, and their problems. */
import { parseArguments } from '../config/arguments.js';
import { type Reading, readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { type Config, type SettingKey, settingKeys, settings } from '../config/schema.js';
import { nameAsSet, type SettingSource, sourceInWords } from '../config/source.js';
import { ExitCode } from '../exit-code.js';
import { maskToken } from '../token.js';
import { columns } from './columns.js';
import type { CommandContext } from './command.js';

/**
 * Prints the settings as a table, or as JSON with `--json`. Resolves to the exit code: 0, or 78 if the daemon would not
 * start with the settings. Rejects with the signal's reason when the signal aborts.
 */
export async function config({ args, env, cwd, stdout, stderr, signal }: CommandContext): Promise<number> {
  const { flags, options } = parseArguments(args, { options: { json: 'switch' } });
  const reading = await readSettings({ env, cwd: cwd(), flags, signal });
  const rows = settingKeys.map((key) => rowOf(reading, key));
  stdout.write(options.has('json') ? asJson(rows, reading) : asTable(rows));

  const { problems, warnings } = reading;
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  if (problems.length === 0) return ExitCode.clean;
  stderr.write(`${invalid(problems).message}\n`);
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
    source: source ? sourceOf(name, source) : '',
    usable: key in reading.values,
    fallback,
  };
}

function sourceOf(name: string, source: SettingSource): string {
  const asSet = nameAsSet(name, source);
  return asSet === name ? sourceInWords(source) : `${sourceInWords(source)}, as ${asSet}`;
}

function asTable(rows: readonly Row[]): string {
  return columns(
    rows.map(({ name, value, source, usable, fallback }) => [
      name,
      usable ? (value ?? `(${fallback})`) : '(cannot be used)',
      source,
    ]),
  );
}

function asJson(rows: readonly Row[], { warnings, problems }: Reading): string {
  const inForce = Object.fromEntries(
    rows.map(({ name, value, source, usable }) => [name, { value: value ?? null, source, usable }]),
  );
  const sentences = problems.map(({ sentence }) => sentence);
  return `${JSON.stringify({ settings: inForce, warnings, problems: sentences }, undefined, 2)}\n`;
}
