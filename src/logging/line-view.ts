/** Renders a log line for people: the message, further fields, the causes of errors, and a tree for the receipt. */
import { isObject } from '../json.js';
import { durationInWords } from '../words.js';
import { eventTable } from './events.js';

/** A parsed log line. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Functions that add a colour, or that leave the text as it is. */
export type Paint = Record<'dim' | 'bold' | 'red' | 'yellow', (text: string) => string>;

/** The indent of further lines, as wide as the `21:46:37.123 ERROR: ` before the message. */
const INDENT = ' '.repeat(20);
const MAX_VALUE_LENGTH = 200;

/** Fields that are not listed after the message: they are shown elsewhere, or not at all. */
const placed = new Set(['level', 'time', 'pid', 'msg', 'err', 'event', 'bot']);

/**
 * Creates a view that remembers what it has shown. A line names its bot only if there are several bots. An error that ends
 * the run is explained once, although its own line, the line of the stop and the receipt all contain it.
 */
export function createLineView(): (line: LogLine, paint: Paint) => string {
  const bots = new Set<unknown>();
  let explained: string | undefined;
  return (line, paint) => {
    if (line['bot'] !== undefined) bots.add(line['bot']);
    const bot =
      bots.size > 1 && line['bot'] !== undefined ? paint.dim(` bot=${shown('bot', line['bot'])}`) : '';
    const event = String(line['event']);
    const isOurs = Object.hasOwn(eventTable, event);
    const fields = isOurs ? '' : fieldsOf(line, paint);
    const below = event === 'lifecycle.stopped' ? phaseTree(line, paint) : [];
    // A level of four letters gets a space, so that all messages begin in the same column.
    const gap = String(line['level']).length < 5 ? ' ' : '';
    const message = String(line['msg'] ?? (line['err'] === undefined ? '' : messageOf(line['err'])));
    const error = JSON.stringify(line['err'], withoutStack);
    const isRepeated = event.startsWith('lifecycle.') && error === explained;
    const why = isRepeated ? [] : errorBlock(line['err'], message, paint);
    explained = error ?? explained;
    const lines = [...`${gap}${message}${fields}${bot}`.split('\n'), ...below, ...why];
    return lines.join(`\n${INDENT}`);
  };
}

/** A repeated error has no stack, nor have its causes. */
const withoutStack = (name: string, value: unknown): unknown => (name === 'stack' ? undefined : value);

function fieldsOf(line: LogLine, { dim }: Paint): string {
  const names = Object.keys(line).filter((name) => !placed.has(name));
  const fields = names.map((name) => ` ${name.replace(/Ms$/, '')}=${shown(name, line[name])}`);
  return fields.length === 0 ? '' : dim(fields.join(''));
}

function shown(name: string, value: unknown): string {
  if (name.endsWith('Ms') && typeof value === 'number') return durationInWords(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/** Renders an error with its stack and its causes. Errors of lastcall itself have no stack. */
function errorBlock(error: unknown, lineText: string, paint: Paint): string[] {
  if (!isObject(error)) return [];
  const message = messageOf(error);
  const type = String(error['type'] ?? 'Error');
  const lines: string[] = [];
  const isOwn = type === 'LastcallError';
  const cause = error['cause'];
  // The message of a failed hook is the message of the error that the hook threw.
  const isInLine =
    lineText.includes(message) || (isOwn && isObject(cause) && lineText.includes(messageOf(cause)));
  if (!isInLine) lines.push(...`${type}: ${message}`.split('\n'));
  else if (type !== 'Error' && !isOwn) lines.push(type);
  if (!isOwn) lines.push(...framesOf(error['stack']).map(paint.dim));
  if (typeof error['likelyCause'] === 'string') lines.push(`likely cause: ${error['likelyCause']}`);
  if (typeof error['nextStep'] === 'string') lines.push(`what to do: ${error['nextStep']}`);
  for (const inner of [cause, ...listOf(error['errors'])]) {
    const [first, ...rest] = errorBlock(inner, '', paint);
    if (first !== undefined) lines.push(`because of ${first}`, ...rest);
  }
  return lines;
}

const messageOf = (error: unknown): string =>
  isObject(error) ? String(error['message'] ?? '') : String(error);

/** Returns the frames of a stack, down to the last one that belongs neither to Node nor to lastcall. */
function framesOf(stack: unknown): string[] {
  if (typeof stack !== 'string') return [];
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !/[( ]node:internal\/|<anonymous>\)$/.test(line));
  const last = frames.findLastIndex((frame) => !frame.includes(ours));
  return last < 0 ? frames : frames.slice(0, last + 1);
}

const ours = new URL('..', import.meta.url).href;

/** Renders how long each step of the stop took, and each step of the start if one of them did not succeed. */
function phaseTree(line: LogLine, paint: Paint): string[] {
  const phases = listOf(line['phases']).filter(isObject);
  const starts = phases.filter(({ step }) => step === 'start');
  const stops = phases.filter(({ step }) => step === 'stop');
  const shownStarts = starts.every(({ result }) => result === 'done') ? [] : starts;
  return [
    ...branch('start', shownStarts, line['reason'], paint),
    ...branch('stop', stops, line['reason'], paint),
  ];
}

/** @param reason why the run stopped, which the receipt's message already says */
function branch(title: string, phases: readonly LogLine[], reason: unknown, { dim, red }: Paint): string[] {
  if (phases.length === 0) return [];
  const width = Math.max(...phases.map(({ hook }) => String(hook).length));
  const rows = phases.map(({ hook, result, durationMs, error }, index) => {
    const twig = index === phases.length - 1 ? '└─' : '├─';
    const took = typeof durationMs === 'number' ? durationInWords(durationMs) : '';
    const ending = result === 'done' ? '' : red(`  ${endings[String(result)] ?? result}`);
    const why = result === 'failed' && error !== reason ? `: ${error}` : '';
    return `${dim(twig)} ${String(hook).padEnd(width)}  ${took.padStart(8)}${ending}${why}`;
  });
  return [dim(title), ...rows];
}

const endings: Readonly<Record<string, string>> = {
  'called-off': 'called off',
  failed: 'failed',
  cut: 'cut off',
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
