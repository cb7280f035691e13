/** `lastcall status`: how the bots of this host do, from their processes, or from what is on disk. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArguments } from '../config/arguments.js';
import { readSettings } from '../config/load.js';
import { invalid } from '../config/problem.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { botKey } from '../host/bot-key.js';
import { wantsColour } from '../logging/colour.js';
import { identityOfToken } from '../telegraf/identity.js';
import type { CommandContext } from './command.js';
import { checkBot, isNamed } from './inbox/choose-inbox.js';
import { print } from './inbox/print.js';
import { accepted, options } from './options.js';
import { look, type SeenBot } from './status/look.js';
import { type Found, findBots } from './status/places.js';
import { asJson, nothingFound, render } from './status/render.js';

const WATCH_EVERY_MS = 1_000;

/** Clears the terminal, from its first line on. */
const CLEAR = '\u001b[H\u001b[J';

/** Resolves to the exit code: 0 if each bot has answered, else 1. */
export async function status(io: CommandContext): Promise<number> {
  const { env, stdout, stderr, signal } = io;
  const { find, isWatching, isJson } = await readArguments(io);
  const isTerminal = stdout.isTTY === true;
  const colours = wantsColour(env, isTerminal);
  for (;;) {
    const found = find();
    const nowMs = Date.now();
    const bots = await Promise.all(found.bots.map((bot) => look(bot, nowMs)));
    if (bots.length === 0 && !isJson) stderr.write(nothingFound(found));
    else {
      const text = isJson ? `${asJson(bots, found)}\n` : render(bots, found, { colours, nowMs });
      await print(io, [isWatching && isTerminal && !isJson ? `${CLEAR}${text}` : text]);
    }
    if (!isWatching) return hasAnswered(bots) ? ExitCode.clean : ExitCode.cut;
    await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return ExitCode.clean;
  }
}

const hasAnswered = (bots: readonly SeenBot[]): boolean =>
  bots.length > 0 && bots.every(({ source }) => source === 'process');

interface StatusArguments {
  /** Finds the bots that are meant. */
  find(): Found;
  readonly isWatching: boolean;
  readonly isJson: boolean;
}

async function readArguments({ args, env, cwd, signal }: CommandContext): Promise<StatusArguments> {
  const given = parseArguments(args, { options: accepted(options.status), files: 1 });
  const { values, problems } = await readSettings({ env, cwd: cwd(), flags: given.flags, signal });
  if (problems.length > 0) throw invalid(problems);
  const bot = given.options.get('bot');
  if (bot !== undefined) checkBot(bot);
  const { stateDir, botToken, telegramApiRoot } = values;
  if (given.files.length > 0 && botToken === undefined && bot === undefined)
    throw new LastcallError(
      'COMMAND_MISUSED',
      'lastcall status',
      'a file does not tell which bot it runs, and no token is set here: name the bot by --bot, or leave out the file',
    );
  const ofFile =
    given.files.length > 0 && botToken !== undefined
      ? botKey(identityOfToken(botToken, telegramApiRoot))
      : undefined;
  const wanted = bot ?? ofFile;
  const isRoot = process.geteuid?.() === 0;
  return {
    find() {
      const found = findBots(stateDir, isRoot);
      return { ...found, bots: found.bots.filter(({ key }) => wanted === undefined || isNamed(key, wanted)) };
    },
    isWatching: given.options.has('watch'),
    isJson: given.options.has('json'),
  };
}
