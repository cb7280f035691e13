/** Parses the arguments of a command: its own options, files, and a flag for every setting that is not secret. */
import { parseArgs } from 'node:util';
import { maskTokens } from '../token.js';
import { didYouMean } from './did-you-mean.js';
import { invalid, type Problem } from './problem.js';
import { flagOf, inFlagStyle, type SettingKey, settingKeys, settings } from './schema.js';

interface Flag {
  /** The flag as it was written, without its dashes. */
  readonly name: string;
  readonly text: string;
}

/** Settings given on the command line. `loadConfig` reports the problems together with those of other sources. */
export interface Flags {
  readonly values: { readonly [K in SettingKey]?: Flag };
  readonly problems: readonly Problem[];
}

/** The arguments that a command takes besides flags for settings. */
export interface Accepted<Name extends string = string> {
  /** A switch stands alone (`--json`); a value follows its option (`--for 10s`, `--for=10s`). */
  readonly options?: Readonly<Record<Name, 'switch' | 'value'>>;
  readonly files?: number;
}

export interface Arguments<Name extends string = string> {
  readonly flags: Flags;
  /** The options that were given, with their texts; the text of a switch is `yes`. */
  readonly options: ReadonlyMap<Name, string>;
  readonly files: readonly string[];
}

interface Known {
  /** The text of the option without a value; undefined if it needs a value. */
  readonly bare?: string;
  readonly alone?: boolean;
  /** Completes the sentence "needs a value: …". */
  readonly expects?: string;
  set(text: string): void;
}

/**
 * Parses arguments. If an option is given twice, the last one counts. Never throws: a command that loads no settings passes
 * the result to {@link refuseBadArguments}.
 */
export function parseArguments<Name extends string = never>(
  args: readonly string[],
  accepted: Accepted<Name> = {},
): Arguments<Name> {
  const values: { [K in SettingKey]?: Flag } = {};
  const options = new Map<Name, string>();
  const files: string[] = [];
  const problems: Problem[] = [];

  const known = new Map<string, Known>();
  for (const key of settingKeys) {
    const name = flagOf(settings[key]);
    if (name === undefined) continue;
    const { bareFlag: bare, expects } = settings[key].type;
    known.set(name, { expects, ...(bare && { bare }), set: (text) => (values[key] = { name, text }) });
    const no = `no-${name}`;
    if (bare) known.set(no, { bare: 'no', alone: true, set: (text) => (values[key] = { name: no, text }) });
  }
  for (const name in accepted.options) {
    const alone = accepted.options[name] === 'switch';
    known.set(name, { ...(alone && { bare: 'yes' }), alone, set: (text) => options.set(name, text) });
  }

  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    // A boolean option, or an option that is not listed, takes no value from the next argument.
    options: Object.fromEntries(
      [...known].map(
        ([name, { bare }]) => [name, { type: bare === undefined ? 'string' : 'boolean' }] as const,
      ),
    ),
  });

  /** The index of an argument that is not reported, because it may be the value of an unknown flag. */
  let perhapsValueAt: number | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (token.index !== perhapsValueAt) files.push(token.value);
      continue;
    }
    const option = known.get(token.name);
    // If the next argument looks like a flag, it is a flag, and the value is missing.
    const value = token.inlineValue || !token.value?.startsWith('-') ? token.value : undefined;
    const text = value ?? option?.bare;
    if (option === undefined) {
      perhapsValueAt = token.index + 1;
      blame(token.rawName, whyUnknown(token.name, [...known.keys()]));
    } else if (text === undefined)
      blame(token.rawName, option.expects ? `needs a value: ${option.expects}` : 'needs a value');
    else if (option.alone && value !== undefined) blame(token.rawName, 'takes no value');
    else option.set(text);
  }
  const expected = accepted.files ?? 0;
  for (const file of files.slice(expected)) blame(JSON.stringify(file), 'is not expected here');
  return { flags: { values, problems }, options, files: files.slice(0, expected) };

  function blame(argument: string, what: string): void {
    const culprit = maskTokens(argument);
    problems.push({ culprit, sentence: `${culprit} ${what}` });
  }
}

/** @throws LastcallError CONFIG_INVALID if there are problems with the arguments */
export function refuseBadArguments({ flags }: Arguments): void {
  if (flags.problems.length > 0) throw invalid(flags.problems);
}

function whyUnknown(name: string, known: readonly string[]): string {
  const secret = settingKeys
    .map((key) => settings[key])
    .find((setting) => setting.secret && inFlagStyle(setting.name) === name)?.name;
  if (secret)
    return `is not a flag, because every user of this machine can read a command line; set ${secret} or ${secret}_FILE`;
  const meant = didYouMean(inFlagStyle(name), known);
  return meant === undefined
    ? 'is not a flag that lastcall knows'
    : `is not a flag; did you mean --${meant}?`;
}
