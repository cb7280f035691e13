/**
 * Reads the settings from flags, the environment, `.env` and defaults, in this order of precedence; names with the prefix
 * come before names without it. A blank value counts as not set and, as in dotenv, hides the value in `.env`. All problems
 * are collected and reported at once. Only dotenv's parser is used, which changes no environment and prints nothing.
 */
import { isAbsolute, join, relative } from 'node:path';
import { codeOf } from '../system-error.js';
import { maskTokens } from '../token.js';
import type { Flags } from './arguments.js';
import { flagsOf } from './help.js';
import { misspelledInEnvironment, misspelledInFile } from './misspelled.js';
import { badValue, invalid, type Problem } from './problem.js';
import { readTextFile } from './read-text-file.js';
import {
  type Config,
  type Environment,
  isComplete,
  prefixedName,
  type Setting,
  type SettingKey,
  settingKeys,
  settings,
} from './schema.js';
import { isPlainVariable, nameAsSet, type SettingSource, sourceInWords } from './source.js';
import { tidied } from './tidy.js';

/**
 * The secrets that may be in a file instead of a variable, which every process of the user can read: in one that a setting
 * names, or in a credential of systemd (`LoadCredential=bot-token:FILE`).
 */
const secretFiles = [
  { of: 'botToken', namedBy: 'botTokenFile', credential: 'bot-token', what: 'the token', holds: 'a token' },
  { of: 'inbox', namedBy: 'inboxFile', credential: 'inbox', what: 'the inbox', holds: 'a postgres:// URL' },
] as const;
type SecretFile = (typeof secretFiles)[number];

export interface Inputs {
  readonly env: Environment;
  readonly flags?: Flags;
  /** The absolute path from which relative paths start. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
  /** Resolves with a file's text. Rejects with an error whose `code` says why the file cannot be read. */
  readonly readFile?: (path: string, signal?: AbortSignal) => Promise<string>;
}

/** The file `.env`, with all its variables, because the bot may have settings of its own in it. */
interface EnvFile {
  readonly path: string;
  readonly variables: Readonly<Record<string, string>>;
}

type Sources = { readonly [K in SettingKey]: SettingSource };

/** The readable settings. A setting that cannot be read has a problem and no value. */
export interface Reading {
  readonly values: { readonly [K in SettingKey]?: Config[K] };
  readonly sources: Partial<Sources>;
  readonly problems: readonly Problem[];
  /** Sentences for the log. */
  readonly warnings: readonly string[];
  readonly envFile: EnvFile | undefined;
  /** The values of variables that are only lastcall's, without what was tidied away. */
  readonly tidiedVariables: Readonly<Record<string, string>>;
}

export interface LoadedConfig extends Pick<Reading, 'warnings' | 'envFile' | 'tidiedVariables'> {
  readonly config: Config;
  readonly sources: Sources;
  /** Texts that must never be shown. */
  readonly secrets: readonly string[];
}

/** Loads all settings. Rejects with CONFIG_INVALID, which names all problems, or with the signal's reason. */
export async function loadConfig(inputs: Inputs): Promise<LoadedConfig> {
  return configOf(await readSettings(inputs));
}

/** @throws LastcallError CONFIG_INVALID, which names all problems */
export function configOf({ values, sources, problems, ...rest }: Reading): LoadedConfig {
  if (problems.length > 0 || !isComplete(values) || !isComplete(sources)) throw invalid(problems);
  const secrets = values.botToken === undefined ? [] : [values.botToken];
  const { warnings, envFile, tidiedVariables } = rest;
  return { config: values, sources, secrets, warnings, envFile, tidiedVariables };
}

/** Returns the token for a bot that lastcall builds. @throws LastcallError CONFIG_INVALID if there is none */
export function requireToken(config: Pick<Config, 'botToken'>): string {
  if (config.botToken !== undefined) return config.botToken;
  const sentence =
    'there is no bot token: send /newbot to @BotFather in Telegram and set BOT_TOKEN to the token it gives you, in the environment or in .env; or try lastcall without one, with `npm run demo` or `npx lastcall demo`';
  throw invalid([{ culprit: 'BOT_TOKEN', sentence }]);
}

/** Loads the settings like {@link loadConfig}, but returns the problems. Rejects only when the signal aborts. */
export async function readSettings(inputs: Inputs): Promise<Reading> {
  const reader = new Reader(inputs);
  await reader.readAll();
  return reader;
}

interface Found {
  readonly text: string;
  readonly source: SettingSource;
}

class Reader implements Reading {
  readonly values: { [K in SettingKey]?: Config[K] } = {};
  readonly sources: { [K in SettingKey]?: SettingSource } = {};
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];
  readonly tidiedVariables: Record<string, string> = {};
  envFile: EnvFile | undefined;
  readonly #inputs: Inputs;
  #envFileText = '';

  constructor(inputs: Inputs) {
    this.#inputs = inputs;
    this.problems.push(...(inputs.flags?.problems ?? []));
    this.warnings.push(...misspelledInEnvironment(inputs.env));
  }

  async readAll(): Promise<void> {
    this.#read('envFile');
    await this.#readEnvFile();
    for (const key of settingKeys) if (key !== 'envFile') this.#read(key);
    for (const secret of secretFiles) await this.#readSecret(secret);
  }

  #read(key: SettingKey): void {
    const found = this.#find(key);
    if (found) this.#use(key, found);
    else this.#useDefault(key);
  }

  #find(key: SettingKey): Found | undefined {
    const flag = this.#inputs.flags?.values[key];
    if (flag) return { text: flag.text, source: { kind: 'flag', flag: flag.name } };
    const { name, notInEnvFile } = settings[key];
    const prefixed = prefixedName(settings[key]);
    const envFile = notInEnvFile ? undefined : this.envFile;
    return (
      this.#findVariable(prefixed, envFile, { prefixedName: prefixed }) ?? this.#findVariable(name, envFile)
    );
  }

  #findVariable(
    name: string,
    envFile: EnvFile | undefined,
    as: { readonly prefixedName?: string } = {},
  ): Found | undefined {
    const text = this.#inputs.env[name];
    if (text !== undefined) return { text, source: { kind: 'environment', ...as } };
    const inFile = envFile?.variables[name];
    if (inFile === undefined || !envFile) return undefined;
    const line = lineOf(this.#envFileText, name);
    const path = this.#shown(envFile.path);
    return { text: inFile, source: { kind: 'env-file', ...as, path, ...(line !== undefined && { line }) } };
  }

  /** Uses a value, or the default where it is blank, or is no value of lastcall's. */
  #use<K extends SettingKey>(key: K, { text, source }: Found): void {
    const setting = settings[key];
    const { name, type, shared, secret } = setting;
    const tidy = (type.tidy ?? tidied)(text);
    const isPlain = isPlainVariable(source);
    const seenByProgram = isPlain && !shared;
    if (seenByProgram && tidy.text !== text) this.tidiedVariables[name] = tidy.text;

    const parsed = tidy.text === '' ? undefined : type.parse(tidy.text, this.#inputs.cwd);
    const isTheirs = isPlain && shared && parsed && 'problem' in parsed && !parsed.isOurs;
    if (isTheirs) this.warnings.push(leftAlone(setting, source));
    if (parsed === undefined || isTheirs) {
      this.#useDefault(key);
      return;
    }
    this.sources[key] = source;
    if ('problem' in parsed) {
      const isSecret = secret || parsed.holdsSecret || source.kind === 'secret-file';
      const shown = isSecret ? 'secret' : { text: type.conceal?.(tidy.text) ?? tidy.text };
      this.problems.push(badValue(name, source, shown, parsed.problem));
      return;
    }
    if (source.kind === 'flag' && type.conceal && type.conceal(tidy.text) !== tidy.text) {
      this.#blame(
        name,
        `--${source.flag} holds a password, which every user of the machine can read on a command line: set ${name} in the environment or in .env`,
      );
      return;
    }
    this.values[key] = parsed.value;
    const subject = `${nameAsSet(name, source)} (${sourceInWords(source)})`;
    if (tidy.removed.length > 0)
      this.warnings.push(`${subject} has ${tidy.removed.join(' and ')}: ${whatBecomesOf(seenByProgram)}`);
    if (parsed.doubt) this.warnings.push(`${subject}: ${parsed.doubt}`);
  }

  #useDefault<K extends SettingKey>(key: K): void {
    const setting = settings[key];
    const { parsed, from } = setting.readDefault(this.#inputs.env, this.#inputs.cwd);
    this.sources[key] = { kind: 'default', ...(from !== undefined && { from }) };
    if ('value' in parsed) this.values[key] = parsed.value;
    else this.#blame(setting.name, `the default, from ${from}, cannot be used: ${parsed.problem}`);
  }

  async #readEnvFile(): Promise<void> {
    const path = this.values.envFile;
    if (path === undefined) return;
    const text = await this.#readFile(path, 'ENV_FILE');
    if (text === undefined) return;
    this.#envFileText = text;
    // Loaded on demand, because loading dotenv takes as long as reading all settings.
    const { parse } = await import('dotenv');
    this.envFile = { path, variables: parse(text) };
    this.warnings.push(...misspelledInFile(this.envFile.variables, this.#shown(path)));
  }

  /**
   * Reads a secret from one of three places. Two are a problem: two tokens may belong to two bots, and of two inboxes one
   * may hold updates.
   */
  async #readSecret(secret: SecretFile): Promise<void> {
    const { of, namedBy, credential: credentialName, what } = secret;
    const places = ([of, namedBy] as const).flatMap((key) => {
      const source = this.sources[key];
      if (!source || source.kind === 'default') return [];
      return [`${nameAsSet(settings[key].name, source)} (${sourceInWords(source)})`];
    });
    const credentials = this.#inputs.env['CREDENTIALS_DIRECTORY'];
    const credential = credentials
      ? await this.#readSecretFile(join(credentials, credentialName), secret, 'credential')
      : undefined;
    if (credential) places.push(`systemd's credential ${credentialName}`);
    const path = this.values[namedBy];
    const found =
      (path ? await this.#readSecretFile(path, secret, settings[namedBy].name) : undefined) ?? credential;

    if (places.length > 1) {
      delete this.values[of];
      this.#blame(
        settings[of].name,
        `${what} is set more than once, by ${places.join(' and by ')}: keep one of them`,
      );
    } else if (found) this.#use(of, found);
  }

  async #readSecretFile(path: string, { of, holds }: SecretFile, named: string): Promise<Found | undefined> {
    const { name } = settings[of];
    const text = await this.#readFile(path, named, name);
    if (text === undefined) return undefined;
    if (tidied(text).text !== '')
      return { text, source: { kind: 'secret-file', path: this.#shown(path), named } };
    this.#blame(name, `the file ${this.#shown(path)} (${named}) is empty; ${holds} was expected in it`);
    return undefined;
  }

  /** Returns the text of a file, or undefined if it cannot be read, which is a problem unless the file is optional. */
  async #readFile(path: string, named: string, credentialOf = named): Promise<string | undefined> {
    const { readFile = readTextFile, signal } = this.#inputs;
    try {
      return await readFile(path, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const code = codeOf(error);
      const mayBeMissing =
        named === 'credential' || (named === 'ENV_FILE' && this.sources.envFile?.kind === 'default');
      if (!(mayBeMissing && code === 'ENOENT')) {
        const why = (code && reasons[code]) ?? code ?? 'for an unknown reason';
        const culprit = named === 'credential' ? credentialOf : named;
        this.#blame(culprit, `the file ${this.#shown(path)} (${named}) cannot be read: ${why}`);
      }
      return undefined;
    }
  }

  #blame(culprit: string, sentence: string): void {
    this.problems.push({ culprit, sentence });
  }

  /** Returns a path in short form for people, and masks a token that was set in place of a path. */
  #shown(path: string): string {
    const fromHere = relative(this.#inputs.cwd, path);
    return maskTokens(fromHere === '' || fromHere.startsWith('..') || isAbsolute(fromHere) ? path : fromHere);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links run in a circle',
  ENAMETOOLONG: 'its name is too long',
  EILSEQ: 'it is not text in UTF-8 (in UTF-16 perhaps, without a byte order mark); save it as UTF-8',
  ETIMEDOUT: 'it is a pipe, and nobody wrote into it in time',
};

/** Warns that a value is not lastcall's. It is not quoted, because it may be a secret of the program. */
function leftAlone(setting: Setting<unknown>, source: SettingSource): string {
  const { name, type, fallback } = setting;
  return `${name} (${sourceInWords(source)}) is left to the bot program, because lastcall cannot use its value; lastcall's own is the default, ${fallback}. To set it, use ${prefixedName(setting)} or ${flagsOf(setting)}: ${type.expects}`;
}

function whatBecomesOf(seenByProgram: boolean): string {
  return seenByProgram ? 'dropped, also for the bot program, which under `node` would get them' : 'dropped';
}

/** Returns the number of the last line on which `.env` sets the variable. Lines are counted from 1. */
function lineOf(text: string, name: string): number | undefined {
  const lines = text.split(/\r\n?|\n/);
  const sets = new RegExp(`^\\uFEFF?\\s*(?:export\\s+)?${name}\\s*[=:]`);
  const index = lines.findLastIndex((line) => sets.test(line));
  return index === -1 ? undefined : index + 1;
}
