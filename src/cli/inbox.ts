/** `lastcall inbox`: lists, shows and exports the updates in a bot's inbox, and requests a retry or removal. */
import { parseArguments } from '../config/arguments.js';
import { isPostgresUrl } from '../config/inbox-setting.js';
import type { Reading } from '../config/load.js';
import { readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { botKey } from '../host/bot-key.js';
import { identityOfToken } from '../telegraf/identity.js';
import { maskTokens } from '../token.js';
import type { CommandContext } from './command.js';
import { checkBot, chooseInbox } from './inbox/choose-inbox.js';
import { type InboxContext, type Switch, switchNames } from './inbox/context.js';
import { filterNames, parseFilter } from './inbox/filter.js';
import { openJournal } from './inbox/journal.js';
import { list } from './inbox/list.js';
import type { OpenedInbox } from './inbox/opened-inbox.js';
import { drop, retry } from './inbox/retry-drop.js';
import { exportLines, show } from './inbox/show-export.js';
import { accepted, options as commandOptions } from './options.js';

const { inbox: inboxOptions } = commandOptions;

interface Subcommand {
  readonly switches: readonly Switch[];
  readonly ids: 'none' | 'one' | 'some';
  /** The switch that may be given in place of ids, and so may filters. */
  readonly switchForIds?: Switch;
  readonly run: (context: InboxContext) => Promise<number>;
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  list: { switches: ['all', 'dead', 'json', 'waiting'], ids: 'none', run: list },
  show: { switches: [], ids: 'one', run: show },
  retry: { switches: ['all'], ids: 'some', switchForIds: 'all', run: retry },
  drop: { switches: ['dead'], ids: 'some', switchForIds: 'dead', run: drop },
  export: { switches: ['dead', 'waiting'], ids: 'none', run: exportLines },
};

/**
 * Runs a subcommand. Resolves to the exit code: 0, or 1 if something was refused or not found, or if the signal has cut the
 * output short. Rejects with a LastcallError if the command cannot run, and with the signal's reason if the signal aborts
 * while settings are read.
 */
export async function inbox(io: CommandContext): Promise<number> {
  const { args, env, cwd, signal } = io;
  const { flags, options, files } = parseArguments(args, {
    options: accepted(inboxOptions),
    files: Number.POSITIVE_INFINITY,
  });
  const { values, problems } = await readSettings({ env, cwd: cwd(), flags, signal });
  if (problems.length > 0) throw invalid(problems);

  const [name = 'list', ...texts] = files;
  if (name === 'migrate') return runMigration(io, values.inbox, texts);
  if (name === 'move') return runMove(io, values, options.get('bot'), texts);
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (!subcommand)
    throw misused(
      `'${maskTokens(name)}' is not an inbox command; expected one of ${[...Object.keys(subcommands), 'migrate', 'move'].join(', ')}`,
    );
  const switches = new Set(switchNames.filter((option) => options.has(option)));
  const filters = filterNames.filter((option) => options.has(option));
  const ids = parseIds(texts, name, subcommand, switches, filters);
  const filter = parseFilter(options, Date.now());

  const opened = await open(values, options.get('bot'), signal);
  try {
    const exitCode = await subcommand.run({ io, inbox: opened, ids, switches, filter });
    // After an abort the output may be incomplete.
    return signal.aborted ? ExitCode.cut : exitCode;
  } finally {
    await opened.close();
  }
}

async function runMigration(
  io: CommandContext,
  setting: Reading['values']['inbox'],
  texts: readonly string[],
): Promise<number> {
  if (texts.length > 0) throw misused('`lastcall inbox migrate` takes no ids');
  if (setting === undefined || !isPostgresUrl(setting))
    throw misused('there is nothing to migrate: INBOX is no database (postgres://…)');
  const { migrate } = await import('./inbox/migrate.js');
  return migrate(io, setting);
}

async function runMove(
  io: CommandContext,
  { inbox: setting, stateDir, order = 'chat', botToken, telegramApiRoot }: Reading['values'],
  bot: string | undefined,
  [goal, ...others]: readonly string[],
): Promise<number> {
  if ((goal !== 'database' && goal !== 'journal') || others.length > 0)
    throw misused('`lastcall inbox move` needs where to: database or journal');
  if (setting === undefined || !isPostgresUrl(setting))
    throw misused('`lastcall inbox move` needs the database in INBOX (postgres://…), in both directions');
  if (stateDir === undefined) throw misused('`lastcall inbox move` needs STATE_DIR, where the journal is');
  if (bot !== undefined) checkBot(bot);
  const { moveToDatabase, moveToJournal } = await import('./inbox/move.js');
  const move = goal === 'database' ? moveToDatabase : moveToJournal;
  return move(io, {
    url: setting,
    stateDir,
    order,
    wanted: bot ?? keyOfToken(botToken, telegramApiRoot),
  });
}

/** Opens the inbox that the settings name, which for a database is the same from everywhere. */
async function open(
  { stateDir, botToken, telegramApiRoot, inbox: setting }: Reading['values'],
  bot: string | undefined,
  signal: AbortSignal,
): Promise<OpenedInbox> {
  const key = keyOfToken(botToken, telegramApiRoot);
  if (setting === undefined || !isPostgresUrl(setting))
    return openJournal(chooseInbox({ stateDir, bot, keyOfToken: key }));
  if (bot !== undefined) checkBot(bot);
  const { openDatabaseInbox } = await import('./inbox/database.js');
  return openDatabaseInbox(setting, bot ?? key, signal);
}

function keyOfToken(token: string | undefined, apiRoot: string | undefined): string | undefined {
  return token === undefined ? undefined : botKey(identityOfToken(token, apiRoot));
}

/** @throws LastcallError COMMAND_MISUSED for ids or switches that the subcommand does not take */
function parseIds(
  texts: readonly string[],
  name: string,
  { switches, ids, switchForIds }: Subcommand,
  given: ReadonlySet<Switch>,
  filters: readonly string[],
): readonly number[] {
  const command = `\`lastcall inbox ${name}\``;
  for (const option of given)
    if (!switches.includes(option)) throw misused(`${command} does not take --${option}`);
  for (const option of filters)
    if (switchForIds === undefined) throw misused(`${command} does not take --${option}`);
  for (const text of texts)
    if (!/^\d{1,15}$/.test(text)) throw misused(`'${maskTokens(text)}' is not an update id`);

  const [inPlaceOfIds] = [...[...given].filter((option) => option === switchForIds), ...filters];
  if (texts.length > 0 && ids === 'none') throw misused(`${command} takes no ids`);
  if (texts.length > 0 && inPlaceOfIds !== undefined)
    throw misused(`${command} takes ids or --${inPlaceOfIds}, not both`);
  if (texts.length > 1 && ids === 'one') throw misused(`${command} takes one id`);
  if (texts.length === 0 && ids !== 'none' && inPlaceOfIds === undefined)
    throw misused(`${command} needs an update id${switchForIds ? ` or --${switchForIds}` : ''}`);
  return [...new Set(texts.map(Number))];
}

const misused = (message: string) => new LastcallError('COMMAND_MISUSED', 'lastcall inbox', message);
