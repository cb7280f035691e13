/** `lastcall config`: prints the effective settings, their sources, and their problems. */
import { parseArguments } from '../config/arguments.js';
import { type Reading, readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { type Config, type SettingKey, settingKeys, settings } from '../config/schema.js';
import { nameAsSet, type SettingSource, sourceInWords } from '../config/source.js';
import { fitToContainer } from '../container-fit.js';
import { ExitCode } from '../exit-code.js';
import { type ContainerRuntime, containerRuntime } from '../host/container.js';
import { beforeKill } from '../host/kill-margin.js';
import { recommendedKillAfterMs } from '../host/supervisor.js';
import { cutShortInWords } from '../logging/events/lifecycle.js';
import { maskToken } from '../token.js';
import { durationInWords } from '../words.js';
import { columns } from './columns.js';
import type { CommandContext } from './command.js';
import { accepted, options } from './options.js';

/**
 * Prints the settings as a table, or as JSON with `--json`. Resolves to the exit code: 0, or 78 if the daemon would not
 * start with the settings. Rejects with the signal's reason when the signal aborts.
 */
export async function config({ args, env, cwd, stdout, stderr, signal }: CommandContext): Promise<number> {
  const { flags, options: given } = parseArguments(args, { options: accepted(options.config) });
  const reading = inContainer(await readSettings({ env, cwd: cwd(), flags, signal }), containerRuntime(env));
  const rows = settingKeys.map((key) => rowOf(reading, key));
  stdout.write(given.has('json') ? asJson(rows, reading) : asTable(rows));

  const { problems, warnings } = reading;
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  if (problems.length === 0) return ExitCode.clean;
  stderr.write(`${invalid(problems).message}\n`);
  return ExitCode.configuration;
}

/** What a run in the container would make of the settings. */
function inContainer(reading: Reading, runtime: ContainerRuntime | undefined): Reading {
  const { values, sources, warnings } = reading;
  const fit = fitToContainer(values, sources.inbox?.kind !== 'default', runtime);
  const fitted = { ...values, ...fit.values };
  return {
    ...reading,
    values: fitted,
    sources: { ...sources, ...fit.sources },
    warnings: [...warnings, ...fit.warnings, ...(runtime === undefined ? [] : stopWarnings(fitted))],
  };
}

/** The warning that the start logs where the grace leaves less than STOP_TIMEOUT. */
function stopWarnings({ stopTimeoutMs, graceMs }: Reading['values']): readonly string[] {
  if (stopTimeoutMs === undefined || graceMs === undefined) return [];
  const budgetMs = beforeKill(graceMs);
  if (budgetMs >= stopTimeoutMs) return [];
  const cutShort = {
    killAfterMs: graceMs,
    neededMs: recommendedKillAfterMs(stopTimeoutMs),
    by: 'container',
  } as const;
  return [`a stop may take only ${durationInWords(budgetMs)}, ${cutShortInWords(budgetMs, cutShort)}`];
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
  const { print, conceal } = settings[key].type;
  const printed = value === undefined ? '' : print(value);
  const text = conceal?.(printed) ?? printed;
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
