/** `lastcall log`: changes the level of the log of a running bot, for a time. */
import { parseArguments } from '../config/arguments.js';
import { invalid } from '../config/problem.js';
import { settings } from '../config/schema.js';
import { duration } from '../config/value-types.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { isObject } from '../json.js';
import { codeOf } from '../system-error.js';
import { durationInWords, firstFew } from '../words.js';
import type { CommandContext } from './command.js';
import { accepted, options } from './options.js';
import { type Asked, ask, socketsIn } from './status/ask.js';
import type { BotFolder } from './status/places.js';
import { selectBots } from './status/selection.js';

const DEFAULT_TIME = '5m';
const time = duration({ leastMs: 1, mostMs: 24 * 60 * 60 * 1_000 });

/** Resolves to the exit code: 0 if the level is changed, 1 if a process has refused. Rejects with a LastcallError. */
export async function log(io: CommandContext): Promise<number> {
  const given = parseArguments(io.args, { options: accepted(options.log) });
  const level = parsed('--level', given.options.get('level') ?? '', settings.logLevel.type);
  const forMs = parsed('--for', given.options.get('for') ?? DEFAULT_TIME, time);
  const find = await selectBots('lastcall log', io, given, given.options.get('bot'));
  const { bots, looked } = find();
  const running = bots.filter(isRunning);
  const [bot, ...others] = running;
  if (!bot) throw nobodyRuns(looked);
  if (others.length > 0)
    throw misused(
      `${running.length} bots run: name one by --bot: ${firstFew(running.map(({ key }) => key))}`,
    );

  let answers = 0;
  let isRefused = false;
  for (const name of socketsIn(bot.folder)) {
    const asked = await ask(bot.folder, name, 'POST', '/log', { level, forMs });
    if (asked.kind === 'gone') continue;
    answers += 1;
    const why = refusal(asked);
    isRefused ||= why !== undefined;
    if (why !== undefined) io.stderr.write(`lastcall: ${why}\n`);
    else
      io.stdout.write(`process ${pidIn(asked)} logs at the level ${level} for ${durationInWords(forMs)}\n`);
  }
  if (answers === 0) throw nobodyRuns(looked);
  return isRefused ? ExitCode.cut : ExitCode.clean;
}

/** @throws LastcallError CONFIG_INVALID */
function parsed<T>(
  option: string,
  text: string,
  type: { parse(text: string, cwd: string): { readonly value: T } | { readonly problem: string } },
): T {
  const result = type.parse(text, '/');
  if ('value' in result) return result.value;
  const given = text === '' ? 'is missing' : `is '${text}'`;
  throw invalid([{ culprit: option, sentence: `${option} ${given}: ${result.problem}` }]);
}

/** Whether there is a socket to ask at. A folder that this user may not look into may have one. */
function isRunning({ folder }: BotFolder): boolean {
  try {
    return socketsIn(folder).length > 0;
  } catch (error) {
    if (codeOf(error) !== 'EACCES') return false;
    throw new LastcallError('INBOX_FORBIDDEN', folder, `this user may not look into ${folder}`, {
      cause: error,
    });
  }
}

/** Why the process has not done what it was asked for; undefined where it has. */
function refusal(asked: Asked): string | undefined {
  if (asked.kind === 'forbidden') return 'only the user that runs the bot, and root, may do this';
  if (asked.kind !== 'answered')
    return 'the process does not answer: its event loop is busy, or it is halted';
  if (asked.status === 200) return undefined;
  const error = isObject(asked.body) ? asked.body['error'] : undefined;
  return typeof error === 'string'
    ? error
    : 'the process runs another version of lastcall, which cannot do this';
}

const pidIn = ({ body }: Asked & { readonly body?: unknown }): string =>
  isObject(body) ? `${body['pid']}` : '';

const nobodyRuns = (looked: readonly string[]) =>
  misused(`no bot runs that can be asked, in ${looked.join(', ')}`);

const misused = (message: string) => new LastcallError('COMMAND_MISUSED', 'lastcall log', message);
