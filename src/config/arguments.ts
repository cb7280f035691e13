/** The command line of a command: its own options, files, and a flag for every setting that is no secret. */
import { parseArgs } from 'node:util';
import { maskTokens } from '../token.js';
import { didYouMean } from './did-you-mean.js';
import { invalid, type Problem } from './problem.js';
import { flagOf, inFlagStyle, type SettingKey, settingKeys, settings } from './schema.js';

interface Flag {
  /** As it was written, without the dashes. */
  readonly name: string;
  readonly text: string;
}

/** Settings given on the command line; a source for loadConfig, which tells the problems together with its own. */
export interface Flags {
  readonly values: { readonly [K in SettingKey]?: Flag };
  readonly problems: readonly Problem[];
}

/** What a command takes besides flags for settings. */
export interface Accepted<Name extends string = string> {
  /** A switch stands alone (`--json`); a value follows its option (`--for 10s`, `--for=10s`). */
  readonly options?: Readonly<Record<Name, 'switch' | 'value'>>;
  /** How many arguments may stand for themselves. */
  readonly files?: number;
}

export interface Arguments<Name extends string = string> {
  readonly flags: Flags;
  /** A switch that is given has the text `yes`. */
  readonly options: ReadonlyMap<Name, string>;
  readonly files: readonly string[];
}

/** An option that can be given: a command's own, or a setting's flag. */
interface Known {
  /** What it means when it stands alone; absent where it needs a value. */
  readonly bare?: string;
  /** It takes no other value than `bare`. */
  readonly alone?: boolean;
  /** Completes "needs a value: …". */
  readonly expects?: string;
  set(text: string): void;
}

/** Never throws: whoever loads no settings hands the result to {@link refuseBadArguments}. The last of two wins. */
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
    // What may stand alone takes no value from the next argument; neither does what is not listed.
    options: Object.fromEntries(
      [...known].map(
        ([name, { bare }]) => [name, { type: bare === undefined ? 'string' : 'boolean' }] as const,
      ),
    ),
  });

  /** The place of an argument that an unknown flag may have meant as its value: it is not blamed as well. */
  let perhapsValueAt: number | undefined;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (token.index !== perhapsValueAt) files.push(token.value);
      continue;
    }
    const option = known.get(token.name);
    // A next argument that looks like a flag is one, and the value is missing.
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

/** Throws a LastcallError CONFIG_INVALID if anything in the arguments could not be understood. */
export function refuseBadArguments({ flags }: Arguments): void {
  if (flags.problems.length > 0) throw invalid(flags.problems);
}

function whyUnknown(name: string, known: readonly string[]): string {
  const secret = settingKeys
    .map((key) => settings[key])
    .find((setting) => setting.secret && inFlagStyle(setting.name) === name)?.name;
  if (secret)
    return `is no flag, because every user of this machine can read a command line; set ${secret} or ${secret}_FILE`;
  const normal = inFlagStyle(name);
  const meant = known.includes(normal) ? normal : didYouMean(normal, known);
  return meant === undefined ? 'is no flag that lastcall knows' : `is no flag; did you mean --${meant}?`;
}
