/** `lastcall history`: when the bots of this host ran and how each run ended, as a table, as JSON, or drawn. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Arguments, parseArguments } from '../config/arguments.js';
import { invalid } from '../config/problem.js';
import { age } from '../config/value-types.js';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { describeThrown } from '../thrown.js';
import type { CommandContext } from './command.js';
import { page, titleOf } from './history/draw/page.js';
import { wholePicture } from './history/draw/picture.js';
import { hasSteps } from './history/draw/stop-tree.js';
import { severityOf } from './history/end-words.js';
import { isRun, type Selection, selected } from './history/entries.js';
import { type Gathered, gather } from './history/gather.js';
import { LocalTime } from './history/local-time.js';
import type { BotHistory } from './history/read.js';
import { runsWithin } from './history/summary.js';
import { failedStartsInWords, historyInWords } from './history/text.js';
import { printable } from './inbox/format.js';
import { print } from './inbox/print.js';
import { accepted, options } from './options.js';
import type { Found } from './status/places.js';
import { selectBots } from './status/selection.js';

const LAST_RUNS = 20;
/** What is drawn unless `--since` says otherwise. */
const DRAWN_MS = 7 * 24 * 60 * 60 * 1_000;
/** A picture of the first moments of a bot. */
const SHORTEST_SPAN_MS = 10_000;
const COMMAND = 'lastcall history';

/** Resolves to the exit code: 0, or 1 where no history was found. Rejects with a LastcallError. */
export async function history(io: CommandContext): Promise<number> {
  const given = parseArguments(io.args, { options: accepted(options.history), files: 1 });
  const sinceMs = optionIn(given, 'since', (text) => {
    const parsed = age.parse(text, '/');
    return 'value' in parsed ? parsed.value : undefined;
  });
  const last = optionIn(given, 'last', (text) => (/^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined));
  const find = await selectBots(COMMAND, io, given, given.options.get('bot'));
  const found = find();
  const nowMs = Date.now();
  const { histories, unknown } = await gather(found, nowMs);
  const [html, svg] = [given.options.get('html'), given.options.get('svg')];
  const isDrawn = html !== undefined || svg !== undefined;
  // What never ran has nothing to draw.
  const drawable = histories.filter(({ runs }) => runs.length > 0);
  const hasAny = isDrawn ? drawable.length > 0 : histories.length + unknown.length > 0;
  if (given.options.has('json')) {
    await print(io, [asJson({ histories, unknown }, found, { sinceMs, last, nowMs })]);
  } else if (!hasAny) {
    io.stderr.write(nothingFound(found));
  } else if (isDrawn) {
    const fromMs = sinceMs === undefined ? defaultFromMs(drawable, nowMs) : nowMs - sinceMs;
    const span = { fromMs, toMs: nowMs, time: new LocalTime() };
    if (html !== undefined) await write(io, html, page(drawable, span));
    if (svg !== undefined) await write(io, svg, drawn(onlyOne(drawable), span));
  } else {
    const most = last ?? (sinceMs === undefined ? LAST_RUNS : undefined);
    await print(io, [inWords({ histories, unknown }, { sinceMs, last: most, nowMs })]);
  }
  return hasAny ? ExitCode.clean : ExitCode.cut;
}

function asJson({ histories, unknown }: Gathered, { looked }: Found, selection: Selection): string {
  const bots = histories.map((bot) => {
    const entries = selected(bot.runs, bot.failedStarts, selection);
    return { ...bot, runs: entries.filter(isRun), failedStarts: entries.filter((entry) => !isRun(entry)) };
  });
  const failedStarts = unknown.map(({ stateDir, starts }) => ({
    stateDir,
    starts: selected([], starts, selection),
  }));
  return `${printable(JSON.stringify({ bots, failedStarts, looked }))}\n`;
}

function inWords({ histories, unknown }: Gathered, selection: Selection): string {
  const time = new LocalTime();
  const ofBots = histories.map((bot) =>
    historyInWords(bot, selected(bot.runs, bot.failedStarts, selection), time),
  );
  const others = unknown.map(({ stateDir, starts }) =>
    failedStartsInWords(stateDir, selected([], starts, selection), time),
  );
  return [...ofBots, ...others].join('\n');
}

/** A week, or since the first run where that was later. */
function defaultFromMs(histories: readonly BotHistory[], nowMs: number): number {
  const firstMs = Math.min(...histories.flatMap(({ runs }) => runs[0]?.beganMs ?? nowMs));
  return Math.min(nowMs - SHORTEST_SPAN_MS, Math.max(nowMs - DRAWN_MS, firstMs - (nowMs - firstMs) / 50));
}

function drawn(bot: BotHistory, span: Parameters<typeof wholePicture>[3]): string {
  const stops = runsWithin(bot.runs, span).filter(hasSteps);
  const stop = stops.findLast((run) => severityOf(run) !== 'fine') ?? stops.at(-1);
  return `${wholePicture(titleOf(bot), bot.runs, stop, span)}\n`;
}

function onlyOne(histories: readonly BotHistory[]): BotHistory {
  const [bot, ...others] = histories;
  if (bot && others.length === 0) return bot;
  const keys = histories.map(({ key }) => key).join(', ');
  throw new LastcallError('COMMAND_MISUSED', COMMAND, `--svg draws one bot: name it by --bot: ${keys}`);
}

async function write({ cwd, stdout }: CommandContext, file: string, content: string): Promise<void> {
  const path = resolve(cwd(), file);
  try {
    await writeFile(path, content);
  } catch (error) {
    const message = `${path} cannot be written: ${describeThrown(error)}`;
    throw new LastcallError('COMMAND_MISUSED', COMMAND, message, { cause: error });
  }
  stdout.write(`${path}\n`);
}

/** @throws LastcallError CONFIG_INVALID */
function optionIn(
  given: Arguments,
  name: 'since' | 'last',
  parse: (text: string) => number | undefined,
): number | undefined {
  const text = given.options.get(name);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value !== undefined) return value;
  const expected = name === 'since' ? age.expects : 'a number of runs';
  throw invalid([{ culprit: `--${name}`, sentence: `--${name} is '${text}': expected ${expected}` }]);
}

function nothingFound({ bots, looked, isInDatabase = false }: Found): string {
  const where = looked.join(', ');
  const what = bots.length === 0 ? 'no bot' : 'no history';
  const why = isInDatabase
    ? 'With INBOX=postgres://… no history is kept.'
    : 'It is kept where there is a STATE_DIR, from the next start on.';
  return `There is ${what} in ${where}.${bots.length === 0 && !isInDatabase ? '' : ` ${why}`}\n`;
}
