/** `lastcall inbox`: what waits, runs or is dead in a bot's inbox; and to have the dead tried again, or be rid of some. */
import { parseArguments } from '../config/arguments.js';
import { readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { botKey } from '../host/bot-key.js';
import { identityOfToken } from '../telegraf/identity.js';
import { maskTokens } from '../token.js';
import type { CommandContext } from './command.js';
import { drop, retry } from './inbox/asking.js';
import { chooseInbox } from './inbox/bots.js';
import { exportLines, list, show } from './inbox/reading.js';
import { type InboxIo, type Switch, switchNames, type Task } from './inbox/task.js';

export const inbox = ({ args, signals, process }: CommandContext): Promise<number> => {
  const { env, stdout, stderr } = process;
  return inboxCommand(args, { env, cwd: process.cwd(), stdout, stderr, signal: signals.stopped });
};

interface Verb {
  readonly switches: readonly Switch[];
  readonly ids: 'none' | 'one' | 'some';
  /** The switch that stands for the ids. */
  readonly instead?: Switch;
  readonly run: (task: Task) => Promise<number>;
}

const verbs: Readonly<Record<string, Verb>> = {
  list: { switches: ['all', 'dead', 'json', 'waiting'], ids: 'none', run: list },
  show: { switches: [], ids: 'one', run: show },
  retry: { switches: ['all'], ids: 'some', instead: 'all', run: retry },
  drop: { switches: ['dead'], ids: 'some', instead: 'dead', run: drop },
  export: { switches: ['dead', 'waiting'], ids: 'none', run: exportLines },
};

/**
 * Resolves to the exit code: 0, or 1 where something was refused or not found, or the signal has cut it short. Rejects with a LastcallError where it
 * cannot do its work, and with the signal's reason when that aborts while settings are read.
 */
export async function inboxCommand(args: readonly string[], io: InboxIo): Promise<number> {
  const { env, cwd, signal } = io;
  const { flags, options, files } = parseArguments(args, {
    options: { all: 'switch', dead: 'switch', json: 'switch', waiting: 'switch', bot: 'value' },
    files: Number.POSITIVE_INFINITY,
  });
  const { values, problems } = await readSettings({ env, cwd, flags, signal });
  if (problems.length > 0) throw invalid(problems);

  const [name = 'list', ...texts] = files;
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb)
    throw misused(
      `'${maskTokens(name)}' is nothing to do with an inbox; there are ${Object.keys(verbs).join(', ')}`,
    );
  const given = new Set(switchNames.filter((option) => options.has(option)));
  const ids = idsIn(texts, name, verb, given);

  const { stateDir, botToken, telegramApiRoot } = values;
  const ofToken = botToken === undefined ? undefined : botKey(identityOfToken(botToken, telegramApiRoot));
  const chosen = chooseInbox({ stateDir, bot: options.get('bot'), ofToken });
  const exitCode = await verb.run({ io, inbox: chosen, ids, given });
  // What was printed may not be all.
  return signal.aborted ? ExitCode.cut : exitCode;
}

/** @throws LastcallError COMMAND_MISUSED when the command cannot mean anything */
function idsIn(
  texts: readonly string[],
  name: string,
  { switches, ids, instead }: Verb,
  given: ReadonlySet<Switch>,
): readonly number[] {
  const command = `\`lastcall inbox ${name}\``;
  for (const option of given)
    if (!switches.includes(option)) throw misused(`--${option} means nothing to ${command}`);
  for (const text of texts)
    if (!/^\d{1,15}$/.test(text)) throw misused(`'${maskTokens(text)}' is no id of an update`);

  const standsForIds = instead !== undefined && given.has(instead);
  if (texts.length > 0 && ids === 'none') throw misused(`${command} takes no ids`);
  if (texts.length > 0 && standsForIds) throw misused(`${command} takes ids or --${instead}, not both`);
  if (texts.length > 1 && ids === 'one') throw misused(`${command} takes one id`);
  if (texts.length === 0 && ids !== 'none' && !standsForIds)
    throw misused(`${command} needs the id of an update${instead ? `, or --${instead}` : ''}`);
  return [...new Set(texts.map(Number))];
}

const misused = (what: string) => new LastcallError('COMMAND_MISUSED', 'lastcall inbox', what);
