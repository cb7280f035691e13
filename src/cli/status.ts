/** `lastcall status`: how the bots of this host do, from their processes, or from what is on disk. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArguments } from '../config/arguments.js';
import { ExitCode } from '../exit-code.js';
import { wantsColour } from '../logging/colour.js';
import { type FailedStart, readFailedStarts } from '../observe/history/failed-starts.js';
import type { CommandContext } from './command.js';
import { print } from './inbox/print.js';
import { accepted, options } from './options.js';
import { look, type SeenBot } from './status/look.js';
import type { Found } from './status/places.js';
import { asJson, nothingFound, render } from './status/render.js';
import { selectBots } from './status/selection.js';

const WATCH_EVERY_MS = 1_000;

/** Clears the terminal, from its first line on. */
const CLEAR = '\u001b[H\u001b[J';

/** Resolves to the exit code: 0 if each bot has answered, else 1. */
export async function status(io: CommandContext): Promise<number> {
  const { env, stdout, stderr, signal } = io;
  const given = parseArguments(io.args, { options: accepted(options.status), files: 1 });
  const find = await selectBots('lastcall status', io, given, given.options.get('bot'));
  const [isWatching, isJson] = [given.options.has('watch'), given.options.has('json')];
  const isTerminal = stdout.isTTY === true;
  const colours = wantsColour(env, isTerminal);
  for (;;) {
    const found = find();
    const nowMs = Date.now();
    const bots = await Promise.all(found.bots.map((bot) => look(bot, nowMs, found.places)));
    if (bots.length === 0 && !isJson) stderr.write(nothingFound(found, nowMs, newestFailedStart(found)));
    else {
      const text = isJson ? `${asJson(bots, found)}\n` : render(bots, found, { colours, nowMs });
      await print(io, [isWatching && isTerminal && !isJson ? `${CLEAR}${text}` : text]);
    }
    if (!isWatching) return hasAnswered(bots) ? ExitCode.clean : ExitCode.cut;
    await sleep(WATCH_EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return ExitCode.clean;
  }
}

const newestFailedStart = ({ places }: Found): FailedStart | undefined =>
  places
    .flatMap(({ stateDir }) => readFailedStarts(stateDir))
    .sort((one, other) => one.lastMs - other.lastMs)
    .at(-1);

const hasAnswered = (bots: readonly SeenBot[]): boolean =>
  bots.length > 0 && bots.every(({ source }) => source === 'process');
