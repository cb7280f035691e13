/** One stop as a timed tree: the whole of it, its steps below, how long each might last, and the time for all of it. */
import type { StepRecord } from '../../../observe/history/record.js';
import { durationInWords } from '../../../words.js';
import type { Run } from '../runs.js';
import { element, label, tooltip, widthOf } from './markup.js';

const ROW_HEIGHT = 24;
const BAR_HEIGHT = 14;
const FOOT_HEIGHT = 34;
/** Where the bars begin, to the right of their names. */
const NAMES_WIDTH = 120;
/** Room for what stands behind a bar. */
const WORDS_WIDTH = 220;
/** The budget's line is drawn where it leaves the bars wide enough to be read. */
const MOST_BUDGET_SHARE = 6;

/** A run whose stop has left its steps. */
export type StoppedRun = Run & { readonly end: Extract<Run['end'], { readonly kind: 'receipt' }> };

export const hasSteps = (run: Run): run is StoppedRun =>
  run.end.kind === 'receipt' && stopSteps(run.end.receipt.steps).length > 0;

const stopSteps = (steps: readonly StepRecord[]): readonly StepRecord[] =>
  steps.filter(({ step }) => step === 'stop');

export const stopTreeHeight = ({ end }: StoppedRun): number =>
  (stopSteps(end.receipt.steps).length + 1) * ROW_HEIGHT + FOOT_HEIGHT;

export function stopTree(
  run: StoppedRun,
  { left, right }: { readonly left: number; readonly right: number },
  top: number,
): string {
  const { receipt } = run.end;
  const { stopMs } = receipt;
  const budgetMs = run.stopping?.budgetMs;
  const steps = stopSteps(receipt.steps);
  const isBudgetNear = budgetMs !== undefined && budgetMs <= Math.max(stopMs, 1) * MOST_BUDGET_SHARE;
  const longestMs = Math.max(stopMs, isBudgetNear ? budgetMs : 0, 1);
  const from = left + NAMES_WIDTH;
  // The words behind a bar are beside the budget's line, not on it.
  const to = right - (isBudgetNear ? 70 : WORDS_WIDTH);
  const x = (ms: number) => from + (Math.min(ms, longestMs) / longestMs) * (to - from);
  const bottom = top + (steps.length + 1) * ROW_HEIGHT;
  const rows = [
    row('stop', left, top, x(0), x(stopMs), durationInWords(stopMs), 'whole'),
    ...steps.map((step, index) => stepRow(step, left, top + (index + 1) * ROW_HEIGHT, x)),
  ];
  return [
    ...secondsGrid(longestMs, x, top, bottom),
    ...(isBudgetNear ? [budgetLine(x(budgetMs), top, bottom, budgetMs)] : []),
    ...rows,
    ...(budgetMs !== undefined && !isBudgetNear
      ? [
          label(right, bottom + 16, `of ${durationInWords(budgetMs)} that it might take`, {
            class: 'muted',
            'text-anchor': 'end',
          }),
        ]
      : []),
  ].join('');
}

function stepRow(step: StepRecord, left: number, y: number, x: (ms: number) => number): string {
  const { hook, afterMs, durationMs, limitMs, result, error } = step;
  const took = durationInWords(durationMs);
  const words =
    result === 'cut' ? `cut off after ${took}` : result === 'failed' ? `failed after ${took}` : took;
  const latest = limitMs === undefined ? undefined : afterMs + limitMs;
  const limit =
    latest === undefined || result === 'done'
      ? ''
      : element('line', { x1: x(latest), x2: x(latest), y1: y + 2, y2: y + 20, class: 'limit' });
  const detail = [
    `${hook}: ${words}`,
    limitMs === undefined ? 'without a limit' : `within ${durationInWords(limitMs)}`,
    ...(error === undefined ? [] : [error]),
  ].join('; ');
  return row(hook, left + 14, y, x(afterMs), x(afterMs + durationMs), words, result, detail) + limit;
}

function row(
  name: string,
  left: number,
  y: number,
  from: number,
  to: number,
  words: string,
  className: string,
  detail = `${name}: ${words}`,
): string {
  const box = { x: from, y: y + 4, width: Math.max(2, to - from), height: BAR_HEIGHT };
  return [
    label(left, y + 15, shortened(name, NAMES_WIDTH - 20)),
    element('rect', { ...box, rx: 2, class: `step ${className}` }, tooltip(detail)),
    wordsAt(from, Math.max(to, from + 2), y + 15, words, className),
  ].join('');
}

/** In the bar where that is long enough, else behind it. */
function wordsAt(from: number, to: number, y: number, words: string, className: string): string {
  return to - from > widthOf(words) + 24
    ? label(to - 8, y, words, { class: 'words inside', 'text-anchor': 'end' })
    : label(to + 6, y, words, { class: `words beside ${className}` });
}

function budgetLine(x: number, top: number, bottom: number, budgetMs: number): string {
  return [
    element('line', { x1: x, x2: x, y1: top - 4, y2: bottom + 4, class: 'budget' }),
    label(x, bottom + 30, `latest end: ${durationInWords(budgetMs)}`, {
      class: 'note bad',
      'text-anchor': 'end',
    }),
  ].join('');
}

/** Some round seconds below the bars. */
function secondsGrid(
  longestMs: number,
  x: (ms: number) => number,
  top: number,
  bottom: number,
): readonly string[] {
  const magnitude = 10 ** Math.floor(Math.log10(longestMs));
  const stepMs =
    [0.2, 0.5, 1, 2].map((digit) => digit * magnitude).find((step) => longestMs / step <= 6) ?? longestMs;
  const count = Math.floor(longestMs / stepMs);
  return Array.from({ length: count + 1 }, (_, index) => index * stepMs).flatMap((ms) => [
    element('line', { x1: x(ms), x2: x(ms), y1: top, y2: bottom, class: 'grid' }),
    label(x(ms), bottom + 16, durationInWords(ms), { class: 'muted', 'text-anchor': 'middle' }),
  ]);
}

export function shortened(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${text.slice(0, Math.floor(width / widthOf('n')) - 1)}…`;
}
