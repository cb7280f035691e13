/** `lastcall help` and `lastcall version`, and the help of each command. */
import { readFileSync } from 'node:fs';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { helpText, wrapped } from '../config/help.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { isObject, parseJson } from '../json.js';
import { maskTokens } from '../token.js';
import { columns } from './columns.js';
import type { ProcessContext } from './command.js';
import type { CommandEntry, Commands } from './commands.js';

/** Prints what there is, or what the argument names: a command, or `settings`. */
export async function help(context: ProcessContext): Promise<number> {
  const given = parseArguments(context.args, { files: 1 });
  refuseBadArguments(given);
  const [name] = given.files;
  if (name === undefined) context.stdout.write(overview(context.commands));
  else if (name === 'settings') context.stdout.write(`${helpText()}\n`);
  else return helpOn(name, context);
  return ExitCode.clean;
}

/** Prints the help of one command. */
export async function helpOn(name: string, context: ProcessContext): Promise<number> {
  const { commands } = context;
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) {
    const message = `'${maskTokens(name)}' is not a command; expected settings or one of ${Object.keys(commands).join(', ')}`;
    throw new LastcallError('COMMAND_MISUSED', 'lastcall help', message);
  }
  if (entry.helpsItself) return (await entry.load())({ ...context, args: ['--help'] });
  context.stdout.write(describe(name, entry));
  return ExitCode.clean;
}

export async function version({ stdout }: ProcessContext): Promise<number> {
  const manifest = parseJson(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  stdout.write(`${isObject(manifest) ? manifest['version'] : 'unknown'}\n`);
  return ExitCode.clean;
}

function overview(commands: Commands): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [`  lastcall ${name}`, summary]);
  return `lastcall runs a Telegraf bot as a daemon.

${columns(rows)}
\`lastcall help COMMAND\` describes a command,
\`lastcall help settings\` the settings.
`;
}

function describe(
  name: string,
  { summary, usage, more, options, examples, takesSettings }: CommandEntry,
): string {
  const forms = usage.map((form) => `  lastcall ${name} ${form}`.trimEnd());
  const flags = Object.entries(options ?? {}).map(([option, { value, help: text }]) => [
    `  --${option}${value === undefined ? '' : ` ${value}`}`,
    text,
  ]);
  const settings = [['  --SETTING=VALUE', 'any setting; `lastcall help settings` lists them']];
  const all = [...flags, ...(takesSettings ? settings : [])];
  const sections = [
    `lastcall ${name}: ${summary}`,
    forms.join('\n'),
    ...(more === undefined ? [] : [wrapped(more, 0).join('\n')]),
    ...(all.length === 0 ? [] : [`Options:\n${columns(all).trimEnd()}`]),
    ...(examples === undefined ? [] : [`Examples:\n${examplesInWords(examples)}`]),
  ];
  return `${sections.join('\n\n')}\n`;
}

const examplesInWords = (examples: NonNullable<CommandEntry['examples']>): string =>
  examples.map(([command, does]) => `  ${command}\n      ${does}`).join('\n');
