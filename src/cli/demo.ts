/**
 * `lastcall demo`: runs the daemon as a child process against a local Bot API, simulates a few people who chat with it, and
 * stops it; with `--hosts N`, several daemons that share an inbox in PostgreSQL.
 */
import { fileURLToPath } from 'node:url';
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { inboxSetting, isPostgresUrl, type PostgresUrl, passwordsIn } from '../config/inbox-setting.js';
import { invalid } from '../config/problem.js';
import { duration } from '../config/value-types.js';
import type { LastcallError } from '../errors.js';
import type { ProcessContext } from './command.js';
import { oneHost } from './demo/one-host.js';
import { exampleBotFile } from './example-bot.js';
import { accepted, options } from './options.js';

const mainFile = fileURLToPath(new URL('../main.js', import.meta.url));

/** Resolves to 0 if no message was lost, nor, with one host, answered twice. */
export async function demo({ args, signals, process }: ProcessContext): Promise<number> {
  const given = parseArguments(args, { options: accepted(options.demo) });
  refuseBadArguments(given);
  const forMs = parseDuration(given.options.get('for'));
  const hosts = parseHosts(given.options.get('hosts'));
  const database = parseDatabase(given.options.get('database'));
  const program = { mainFile, botFile: exampleBotFile, process };
  const withPage = given.options.has('page');
  if (hosts === undefined) {
    if (database !== undefined) throw wrong('--database', 'it is for several hosts: add --hosts 3');
    return oneHost(program, signals, { forMs, withPage });
  }
  if (withPage) throw wrong('--page', 'it is for one host');
  if (forMs !== undefined) throw wrong('--for', 'it is for one host; with --hosts the demo ends by itself');
  const { severalHosts } = await import('./demo/several-hosts.js');
  return severalHosts({ program, hosts, database, signals });
}

/** In milliseconds. @throws LastcallError CONFIG_INVALID */
function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const parsed = duration({ leastMs: 1 }).parse(text, '/');
  if ('value' in parsed) return parsed.value;
  throw wrong(`--for is '${text}'`, parsed.problem);
}

/** @throws LastcallError CONFIG_INVALID */
function parseHosts(text: string | undefined): number | undefined {
  if (text === undefined || /^[2-9]$/.test(text)) return text === undefined ? undefined : Number(text);
  throw wrong(`--hosts is '${text}'`, 'expected a number from 2 to 9');
}

/** @throws LastcallError CONFIG_INVALID */
function parseDatabase(text: string | undefined): PostgresUrl | undefined {
  if (text === undefined) return undefined;
  const parsed = inboxSetting.parse(text, '/');
  const shown = `--database is '${inboxSetting.conceal?.(text) ?? text}'`;
  if ('problem' in parsed) throw wrong(shown, parsed.problem);
  if (!isPostgresUrl(parsed.value)) throw wrong(shown, 'expected a URL: postgres://user@host/database');
  if (passwordsIn(parsed.value).length > 0)
    throw wrong(
      '--database',
      'it holds a password, which every user of the machine can read on a command line: set it as PGPASSWORD in the environment',
    );
  return parsed.value;
}

function wrong(subject: string, problem: string): LastcallError {
  return invalid([{ culprit: subject.split(' ')[0] ?? subject, sentence: `${subject}: ${problem}` }]);
}
