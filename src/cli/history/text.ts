/** The history of a bot as a table for people: one line a run, and below it what was special about that. */
import { wrapped } from '../../config/help.js';
import type { FailedStart } from '../../observe/history/failed-starts.js';
import { count, durationInWords } from '../../words.js';
import { columns } from '../columns.js';
import { printable } from '../inbox/format.js';
import { endInWords } from './end-words.js';
import { type Entry, isRun } from './entries.js';
import type { LocalTime } from './local-time.js';
import type { BotHistory } from './read.js';
import type { Run } from './runs.js';
import { outagesIn } from './summary.js';

const HEADINGS = ['BEGAN', 'RAN', 'GAP', 'UPDATES', 'END'];
/** Where what belongs to a run is indented to. */
const DETAIL_INDENT = 4;
const MOST_END_LENGTH = 120;

/** @param shown what to show, in the order in which it began */
export function historyInWords(
  { key, name, runs }: Pick<BotHistory, 'key' | 'name' | 'runs'>,
  shown: readonly Entry[],
  time: LocalTime,
): string {
  const [first] = runs;
  const who = name === undefined ? `bot ${key}` : `${printable(name)} (${key})`;
  const head = first
    ? `${who}: ${count(runs.length, 'run')} since ${time.dateTime(first.beganMs)}`
    : `${who}: no run is recorded`;
  return first || shown.length > 0 ? table(head, shown, time) : `${head}\n`;
}

/** The starts of a state folder that failed before it was known which of its bots they were of. */
export function failedStartsInWords(stateDir: string, shown: readonly Entry[], time: LocalTime): string {
  return table(`Starts that failed before their bot was known, in ${printable(stateDir)}`, shown, time);
}

function table(head: string, shown: readonly Entry[], time: LocalTime): string {
  const rowOf = (entry: Entry) => (isRun(entry) ? row(entry, time) : rowOfFailed(entry, time));
  const [headings = '', ...rows] = columns([HEADINGS, ...shown.map(rowOf)]).split('\n');
  const body = shown.flatMap((entry, index) => {
    const remarks = isRun(entry) ? remarksOn(entry, time) : remarksOnFailed(entry, time);
    return [rows[index] ?? '', ...remarks.flatMap((remark) => wrapped(printable(remark), DETAIL_INDENT))];
  });
  return `${[head, '', headings, ...body].join('\n')}\n`;
}

function rowOfFailed({ firstMs, message, exitCode }: FailedStart, time: LocalTime): readonly string[] {
  const end = printable(`could not start: ${shortened(message)}, exit ${exitCode}`);
  return [time.dateTime(firstMs), '-', '-', '-', end];
}

function remarksOnFailed(start: FailedStart, time: LocalTime): readonly string[] {
  const { firstMs, lastMs, times, message, supervisor, file } = start;
  const [first = '', ...more] = message.split('\n').map((line) => line.trim());
  const rest = first.length > MOST_END_LENGTH ? [`…${first.slice(MOST_END_LENGTH)}`] : [];
  const span = `${times} times, from ${time.dateTime(firstMs)} to ${time.dateTime(lastMs)}`;
  const under = supervisor === 'none' ? [] : [`under ${supervisor}`];
  return [
    ...rest,
    ...(times > 1 ? [span] : []),
    ...more.filter((line) => line !== ''),
    [...(file === undefined ? [] : [file]), ...under].join(', '),
  ].filter((remark) => remark !== '');
}

function row(run: Run, time: LocalTime): readonly string[] {
  return [
    time.dateTime(run.beganMs),
    lengthInWords(run),
    gapInWords(run),
    updatesInWords(run),
    printable(shortened(endInWords(run))),
  ];
}

/** Errors may be long, and of many lines. */
function shortened(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length > MOST_END_LENGTH ? `${line.slice(0, MOST_END_LENGTH)}…` : line;
}

/** How long the run lasted. Only its receipt knows that whatever became of the system's clock meanwhile. */
export function lengthInWords({ beganMs, end }: Pick<Run, 'beganMs' | 'end'>): string {
  if (end.kind === 'receipt') return durationInWords(end.receipt.upMs);
  const isExact = end.fromMs === end.toMs;
  return `${isExact ? '' : '≥ '}${durationInWords(Math.max(0, end.fromMs - beganMs))}`;
}

/** How long nobody polled before the run did. */
export function gapInWords({ gap }: Pick<Run, 'gap'>): string {
  if (!gap) return '-';
  return `${gap.isAtMost ? '≤ ' : ''}${durationInWords(gap.ms)}`;
}

/** The updates that the run is done with, whatever became of them, as far as its samples tell. */
export function updatesInWords({ samples, end }: Pick<Run, 'samples' | 'end'>): string {
  const last = samples.at(-1);
  if (!last) return '-';
  return `${end.fromMs < end.toMs ? '≥ ' : ''}${last.handled + last.failed}`;
}

/** What is worth a word about a run besides its row. */
export function remarksOn(run: Run, time: LocalTime): readonly string[] {
  const { end, standstills } = run;
  const remarks: string[] = [];
  if (end.kind === 'killed' && !end.machineRestarted && end.advice) remarks.push(end.advice);
  if (end.fromMs < end.toMs)
    remarks.push(`last sign of life at ${time.timeOfDay(end.fromMs)}, gone by ${time.timeOfDay(end.toMs)}`);
  const whys = new Map<string, { readonly times: number; readonly ms: number; readonly longest: Span }>();
  for (const outage of outagesIn([run])) {
    const known = whys.get(outage.why);
    whys.set(outage.why, {
      times: (known?.times ?? 0) + 1,
      ms: (known?.ms ?? 0) + lengthOf(outage),
      longest: known && lengthOf(known.longest) >= lengthOf(outage) ? known.longest : outage,
    });
  }
  for (const [why, { times, ms, longest }] of whys) {
    const at = `from ${time.dayTime(longest.fromMs)}`;
    remarks.push(
      times === 1
        ? `${why} for ${durationInWords(ms)}, ${at}`
        : `${why} ${times} times, ${durationInWords(ms)} in all, at most ${durationInWords(lengthOf(longest))}, ${at}`,
    );
  }
  for (const { fromMs, toMs } of standstills)
    remarks.push(`stood still for ${durationInWords(toMs - fromMs)}, from ${time.dayTime(fromMs)}`);
  return remarks;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

const lengthOf = ({ fromMs, toMs }: Span): number => toMs - fromMs;
