/** Puts what was seen of bots into words: a heading for each, and below it one line a topic. */
import { wrapped } from '../../config/help.js';
import type { FailedStart } from '../../observe/history/failed-starts.js';
import type { PollingStatus, StatusReport } from '../../observe/status/report.js';
import { count, durationInWords, sizeInWords } from '../../words.js';
import { printable } from '../inbox/format.js';
import type { SeenBot } from './look.js';
import type { OnDisk } from './on-disk.js';
import type { Found } from './places.js';

/** Green: all is well. Yellow: it is not at work, as it should be. Red: something is wrong. */
type Colour = 'green' | 'yellow' | 'red';

const codes: Readonly<Record<Colour | 'bold', string>> = {
  green: '\u001b[32m',
  yellow: '\u001b[33m',
  red: '\u001b[31m',
  bold: '\u001b[1m',
};

export interface RenderOptions {
  readonly colours: boolean;
  readonly nowMs: number;
}

type Row = readonly [topic: string, text: string];

/** How many characters the topics take. */
const TOPIC_WIDTH = 12;
const MOST_MESSAGE_LENGTH = 200;

const supervisors: Readonly<Record<string, string>> = {
  systemd: 'under systemd',
  pm2: 'under pm2',
  container: 'in a container',
  none: 'without a supervisor',
};

export function render(bots: readonly SeenBot[], { closed }: Found, options: RenderOptions): string {
  const blocks = bots.flatMap((bot) => blocksOf(bot, options));
  const hidden = closed.map(
    (place) =>
      `This user may not look into ${place}:\nask as root (sudo lastcall status), or as its owner.\n`,
  );
  return [...blocks, ...hidden].join('\n');
}

/**
 * The sentence for a host without bots.
 *
 * @param failed the newest start that failed before its bot was known
 */
export function nothingFound(
  { looked, closed, isInDatabase = false }: Found,
  nowMs: number,
  failed?: FailedStart,
): string {
  const hidden = closed.length === 0 ? '' : ` This user may not look into ${closed.join(', ')}.`;
  const elsewhere = isInDatabase
    ? ' Of processes elsewhere, and of what the database holds, `lastcall inbox` tells.'
    : '';
  const start = failed ? ` A start has ${failureInWords(failed, nowMs)}.` : '';
  return `There is no bot in ${looked.join(', ')}.${hidden}${elsewhere}${printable(start)}\n`;
}

/** Its message may be of several lines, the first of which says enough here. */
function failureInWords({ lastMs, message }: FailedStart, nowMs: number): string {
  const [first = ''] = message.split('\n', 1);
  const shown = first.length > MOST_MESSAGE_LENGTH ? `${first.slice(0, MOST_MESSAGE_LENGTH)}…` : first;
  return `failed ${durationInWords(Math.max(0, nowMs - lastMs))} ago: ${shown} (lastcall history)`;
}

function blocksOf(bot: SeenBot, options: RenderOptions): readonly string[] {
  const { key, folder } = bot;
  if (bot.source === 'forbidden') {
    const owner = bot.owner === undefined ? 'another user' : `user ${bot.owner}`;
    const cure = `${folder} belongs to ${owner}: ask as root (sudo lastcall status), or as that user`;
    return [block(title(key), 'may not be looked at', 'yellow', [['folder', cure]], options)];
  }
  const ofProcesses = bot.reports.map((report) => reportBlock(report, bot, options));
  return bot.source === 'process' ? ofProcesses : [diskBlock(bot, options), ...ofProcesses];
}

function block(
  name: string,
  state: string,
  colour: Colour,
  rows: readonly Row[],
  options: RenderOptions,
): string {
  const paint = (text: string, as: Colour | 'bold') =>
    options.colours ? `${codes[as]}${text}\u001b[0m` : text;
  const lines = rows.flatMap(([topic, text]) =>
    wrapped(printable(text), TOPIC_WIDTH).map((line, index) =>
      index === 0 ? `  ${topic.padEnd(TOPIC_WIDTH - 2)}${line.slice(TOPIC_WIDTH)}` : line,
    ),
  );
  return `${paint(printable(name), 'bold')}  ${paint(printable(state), colour)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

type OfFolder = Pick<Extract<SeenBot, { source: 'process' }>, 'inboxBytes' | 'restartsToday'>;

function reportBlock(report: StatusReport, folder: OfFolder, options: RenderOptions): string {
  const { bot, name, pid, supervisor, upMs, polling } = report;
  const [state, colour] = stateOf(report);
  const process = `${pid} ${supervisors[supervisor] ?? supervisor}, for ${durationInWords(upMs)}`;
  const title = name === undefined ? `bot ${bot}` : `${printable(name)} (${bot})`;
  if (polling.state === 'standing-by' && report.inbox.kind !== 'postgres' && report.phase !== 'stopping')
    return block(title, state, colour, [['process', process]], options);
  const rows: readonly Row[] = [
    ['process', process],
    ...pollRows(polling),
    ['updates', countsInWords(report)],
    ...timeRows(report),
    ...report.jams.map(({ key, waiting, waitedMs }): Row => {
      const waits = waiting === 1 ? '1 update waits' : `${waiting} updates wait`;
      return ['jam', `chat ${chat(key)}: ${waits} behind another, for ${durationInWords(waitedMs)}`];
    }),
    ['inbox', inboxInWords(report.inbox, folder.inboxBytes)],
    ...restartRows(folder),
    ...stopRows(report),
  ];
  return block(title, state, colour, rows, options);
}

function stateOf({ phase, step, polling, inbox }: StatusReport): readonly [words: string, colour: Colour] {
  const { state, forMs, why = '', holder } = polling;
  const lasting = forMs === undefined ? '' : ` for ${durationInWords(forMs)}`;
  const left = step?.leftMs === undefined ? '' : `, ${durationInWords(step.leftMs)} left`;
  if (phase === 'stopping') return [`${step?.name ?? 'stopping'}${left}`, 'yellow'];
  if (state === 'standing-by')
    return [
      `standing by${lasting}, ${holder === undefined ? printable(why || 'another process') : `process ${holder}`} polls`,
      inbox.kind === 'postgres' ? 'green' : 'yellow',
    ];
  if (phase === 'starting') return [`${step?.name ?? 'starting'}${left}`, 'yellow'];
  if (state === 'hindered') return [`${printable(why)}${lasting}`, 'red'];
  if (state === 'ended') return [`not polled any more: ${printable(why)}`, 'red'];
  if (state === 'connecting') return [`connecting to Telegram${lasting}`, 'yellow'];
  return polling.isLate ? ['the poll is late', 'red'] : [`polling${lasting}`, 'green'];
}

function pollRows({ lastPoll, detail, pollTimeoutMs, isLate, state }: PollingStatus): readonly Row[] {
  const said: Row[] = detail === undefined ? [] : [['error', printable(detail)]];
  if (!lastPoll) return said;
  const ago = `answered ${durationInWords(lastPoll.agoMs)} ago`;
  // A poll is held open until there is something to fetch, so that a long silence is the usual thing.
  if (isLate)
    return [...said, ['Telegram', `${ago}, overdue: a poll takes up to ${durationInWords(pollTimeoutMs)}`]];
  const usual = state === 'polling' ? ` (a quiet poll takes up to ${durationInWords(pollTimeoutMs)})` : '';
  return [...said, ['Telegram', `${ago}${usual}`]];
}

function countsInWords({ counts }: StatusReport): string {
  const { waiting, running, handled, caught, failed, timedOut, expired, putBack, dead } = counts;
  const more = nonZero([
    [caught, 'caught'],
    [failed, 'failed'],
    [timedOut, 'timed out'],
    [expired, 'expired'],
    [putBack, 'put back'],
  ]);
  return [`${running} running, ${waiting} waiting, ${handled} handled`, ...more, ...deadInWords(dead)].join(
    ', ',
  );
}

const deadInWords = (dead: number): readonly string[] =>
  dead === 0 ? [] : [`${count(dead, 'dead letter')} (lastcall inbox)`];

const nonZero = (counts: readonly (readonly [number: number, what: string])[]): readonly string[] =>
  counts.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`]));

function timeRows({ handlerTimes, slowest }: StatusReport): readonly Row[] {
  const { count: ended = 0, withinMs = 0, medianMs = 0, p99Ms = 0 } = handlerTimes ?? {};
  const times = `half within ${durationInWords(medianMs)}, 99 % within ${durationInWords(p99Ms)} (${ended} in the last ${durationInWords(withinMs)})`;
  const rows = slowest.map(
    ({ updateId, kind, key, forMs }, index): Row => [
      index === 0 ? 'slowest' : '',
      `update ${updateId} (${printable(kind)}) in chat ${chat(key)}, for ${durationInWords(forMs)}`,
    ],
  );
  return [...(ended > 0 ? [['handlers', times] as const] : []), ...rows];
}

/** An order key, which a bot's own rule may have made of anything. */
function chat(key: string): string {
  const shown = printable(key);
  return shown.length > 30 ? `${shown.slice(0, 30)}…` : shown;
}

function inboxInWords({ kind, oldestMs }: StatusReport['inbox'], bytes: number): string {
  if (kind === 'memory') return 'none: Telegram keeps what is not handled (INBOX=memory)';
  // Only the database knows what is the oldest of all processes.
  if (kind === 'postgres') return 'in the database, shared with all its processes (lastcall inbox)';
  const oldest = oldestMs === undefined ? 'empty' : `oldest update ${durationInWords(oldestMs)} old`;
  return `${oldest}, ${sizeInWords(bytes)} on disk`;
}

function restartRows({ restartsToday }: Pick<OfFolder, 'restartsToday'>): readonly Row[] {
  if (restartsToday === undefined) return [];
  const see = restartsToday === 0 ? '' : ' (lastcall history)';
  return [['restarts', `${restartsToday === 0 ? 'none' : restartsToday} today${see}`]];
}

function stopRows({ phase, stop, counts }: StatusReport): readonly Row[] {
  if (phase !== 'running' || !stop) return [];
  const { budgetMs, handlersMs } = stop;
  const limit = `may take ${durationInWords(budgetMs)} in all`;
  if (counts.running === 0) return [['stop', `would wait for no handler now; ${limit}`]];
  const handlers = count(counts.running, 'handler');
  return [['stop', `would wait for ${handlers}, ${durationInWords(handlersMs)} at most; ${limit}`]];
}

function diskBlock(seen: Extract<SeenBot, { source: 'disk' }>, options: RenderOptions): string {
  const { key, folder, isSilent, onDisk } = seen;
  const { inbox, unreadable } = onDisk;
  const [state, colour, process] = diskState(onDisk, isSilent, options.nowMs);
  const rows: readonly Row[] = [
    ...(process === undefined ? [] : [['process', process] as const]),
    ...(seen.failedStart ? [['start', failureInWords(seen.failedStart, options.nowMs)] as const] : []),
    ['source', `what is on disk in ${folder}, because no process has answered`],
    ...(inbox === undefined
      ? []
      : ([
          [
            'updates',
            [`${inbox.begun} begun, ${inbox.waiting} waiting`, ...deadInWords(inbox.dead)].join(', '),
          ],
          ['inbox', inboxInWords({ kind: 'journal', ...oldest(inbox.oldestMs) }, seen.inboxBytes)],
        ] satisfies Row[])),
    ...(unreadable === undefined ? [] : [['inbox', printable(unreadable)] as const]),
    ...restartRows(seen),
  ];
  return block(title(key), state, colour, rows, options);
}

const oldest = (oldestMs: number | undefined): { oldestMs?: number } =>
  oldestMs === undefined ? {} : { oldestMs };

/** Returns the state, its colour, and what there is to say of the process. */
function diskState(
  onDisk: OnDisk,
  isSilent: boolean,
  nowMs: number,
): readonly [words: string, colour: Colour, process?: string] {
  const { lastRun, isRunning, inbox } = onDisk;
  const pid = lastRun === undefined ? '' : `${lastRun.pid}: `;
  if (isSilent) return ['does not answer', 'red', `${pid}its event loop is busy, or it is halted (SIGSTOP)`];
  if (isRunning) return [phaseInWords(onDisk), 'yellow', `${pid}it runs, but has no socket to ask at (yet)`];
  if (inbox?.owner.kind === 'remote')
    return [
      'in use elsewhere',
      'yellow',
      `on ${inbox.owner.host}; whether it still runs cannot be checked from here`,
    ];
  if (!lastRun) return ['not running', 'yellow'];
  const ago = `${durationInWords(Math.max(0, nowMs - lastRun.sinceMs))} ago`;
  if (lastRun.phase !== 'stopped')
    return ['not running', 'red', `${pid}was killed; it was ${phaseInWords(onDisk)}, since ${ago}`];
  const { exitCode } = lastRun;
  const how = exitCode === undefined ? '' : ` with exit code ${exitCode}`;
  return ['not running', exitCode === 0 ? 'yellow' : 'red', `stopped ${ago}${how}`];
}

/** The id at the beginning of the key is how people know the bot. */
const title = (key: string): string =>
  `bot ${Number.parseInt(key, 10)}${key.endsWith('-test') ? " of Telegram's test environment" : ''}`;

function phaseInWords({ lastRun }: OnDisk): string {
  if (!lastRun) return 'running';
  const { phase, hook } = lastRun;
  return hook === undefined ? phase : `${phase} ${hook}`;
}

/** What was seen, for programs. */
export function asJson(bots: readonly SeenBot[], { looked, closed }: Found): string {
  return JSON.stringify({ bots, looked, closed });
}
