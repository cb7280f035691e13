/** The runs of a bot as a bar on a time line: when it polled, when not and why, and how each run ended. */
import { durationInWords } from '../../../words.js';
import { endInWords, type Severity, severityOf } from '../end-words.js';
import type { LocalTime } from '../local-time.js';
import type { Run, Stretch } from '../runs.js';
import { element, label, tooltip, widthOf } from './markup.js';
import { NOTES_HEIGHT, notes } from './notes.js';
import { type TimeScale, xOf } from './scale.js';

/** How high the time line is with its labels and its legend. */
export const TIMELINE_HEIGHT = 138;

const MARK_Y = 8 + NOTES_HEIGHT;
const BAR_Y = MARK_Y + 12;
const BAR_HEIGHT = 30;
const LEGEND_Y = BAR_Y + BAR_HEIGHT + 30;
/** What went wrong can be seen however short it was. */
const LEAST_WIDTH = 3;
const SEAM_WIDTH = 1.5;

const classes: Readonly<Record<Stretch['state'], string>> = {
  polling: 'polling',
  'standing-by': 'standby',
  hindered: 'hindered',
  connecting: 'changing',
  stopping: 'changing',
  ended: 'changing',
};

/** @param runs those that are seen, in the order in which they began */
export function timeline(runs: readonly Run[], scale: TimeScale, time: LocalTime): string {
  return [
    ...runs.flatMap((run) => stretchesOf(run, scale, time)),
    ...runs.flatMap((run) => seamBefore(run, scale)),
    ...gapsBetween(runs, scale, time),
    ...notes(runs, scale, time, MARK_Y),
    ...runs.flatMap((run) => markOf(run, scale, time)),
    legend(scale),
  ].join('');
}

function stretchesOf(run: Run, scale: TimeScale, time: LocalTime): readonly string[] {
  const ofStretches = run.stretches.map(({ state, why, fromMs, toMs }) =>
    bar(scale, fromMs, toMs, classes[state], state === 'hindered' ? LEAST_WIDTH : 0, () =>
      [`${why ?? state} for ${durationInWords(toMs - fromMs)}`, `from ${time.dateTime(fromMs)}`].join(', '),
    ),
  );
  // What kept the bot from polling is drawn over the rest.
  const order = (index: number) => (run.stretches[index]?.state === 'hindered' ? 1 : 0);
  const sorted = ofStretches
    .map((markup, index) => ({ markup, index }))
    .sort((a, b) => order(a.index) - order(b.index));
  const still = run.standstills.map(({ fromMs, toMs }) =>
    bar(
      scale,
      fromMs,
      toMs,
      'uncertain',
      LEAST_WIDTH,
      () => `stood still for ${durationInWords(toMs - fromMs)}`,
    ),
  );
  return [...sorted.map(({ markup }) => markup), ...still];
}

/** Runs that follow each other closely are seen apart. */
function seamBefore({ beganMs }: Run, scale: TimeScale): readonly string[] {
  if (beganMs <= scale.fromMs) return [];
  const x = xOf(scale, beganMs) - SEAM_WIDTH;
  return [element('rect', { x, y: BAR_Y, width: SEAM_WIDTH, height: BAR_HEIGHT, class: 'back' })];
}

/** When no run was there, or perhaps none. */
function gapsBetween(runs: readonly Run[], scale: TimeScale, time: LocalTime): readonly string[] {
  return runs.flatMap(({ end, ...run }, index) => {
    if (end.kind === 'running') return [];
    const next = runs[index + 1];
    const fromMs = end.toMs;
    const toMs = next?.beganMs ?? scale.toMs;
    const least = severityOf({ end }) === 'fine' ? 0 : LEAST_WIDTH;
    const words = () => `not running for ${durationInWords(toMs - fromMs)}, from ${time.dateTime(fromMs)}`;
    const down = toMs > fromMs ? [bar(scale, fromMs, toMs, 'down', least, words)] : [];
    const doubt = () =>
      `${endInWords({ end, ...run })}, between ${time.dateTime(end.fromMs)} and ${time.timeOfDay(end.toMs)}`;
    return end.fromMs < end.toMs
      ? [...down, bar(scale, end.fromMs, end.toMs, 'uncertain', LEAST_WIDTH, doubt)]
      : down;
  });
}

function bar(
  scale: TimeScale,
  fromMs: number,
  toMs: number,
  className: string,
  leastWidth: number,
  words: () => string,
): string {
  if (toMs < scale.fromMs || fromMs > scale.toMs) return '';
  const x = xOf(scale, fromMs);
  const width = Math.max(leastWidth, xOf(scale, toMs) - x);
  if (width < 0.05) return '';
  const box = { x, y: BAR_Y, width, height: BAR_HEIGHT };
  return element('rect', { ...box, class: className }, tooltip(words()));
}

/** Filled shapes that differ in more than their colour. */
const marks: Readonly<Record<Severity | 'killed', string>> = {
  fine: 'M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z',
  cut: 'M0 -5L5 0L0 5L-5 0z',
  bad: 'M0 -5.5L5.5 4.5L-5.5 4.5z',
  killed: 'M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0z',
};

const markNameOf = (run: Pick<Run, 'end'>): keyof typeof marks =>
  run.end.kind === 'killed' ? 'killed' : severityOf(run);

function markOf(run: Run, scale: TimeScale, time: LocalTime): readonly string[] {
  const { end } = run;
  if (end.kind === 'running' || end.toMs < scale.fromMs) return [];
  const name = markNameOf(run);
  const words = `${time.dateTime(end.fromMs)}: ${endInWords(run)}`;
  return [mark(xOf(scale, end.fromMs), MARK_Y, name, words)];
}

const mark = (x: number, y: number, name: keyof typeof marks, words?: string): string =>
  element(
    'path',
    { d: marks[name], transform: `translate(${Math.round(x * 10) / 10} ${y})`, class: `mark ${name}` },
    ...(words === undefined ? [] : [tooltip(words)]),
  );

function legend({ left }: TimeScale): string {
  const items: readonly (readonly [text: string, shape: (x: number) => string])[] = [
    ['polling', box('polling')],
    ['kept from polling', box('hindered')],
    ['not running', box('down')],
    ['perhaps not running', box('uncertain')],
    ['starting, stopping', box('changing')],
    ['stopped cleanly', (x) => mark(x + 6, LEGEND_Y - 4, 'fine')],
    ['something cut off', (x) => mark(x + 6, LEGEND_Y - 4, 'cut')],
    ['fault', (x) => mark(x + 6, LEGEND_Y - 4, 'bad')],
    ['killed', (x) => mark(x + 6, LEGEND_Y - 4, 'killed')],
  ];
  let x = left;
  return items
    .map(([text, shape]) => {
      const markup = shape(x) + label(x + 17, LEGEND_Y, text, { class: 'muted' });
      x += 17 + widthOf(text) + 14;
      return markup;
    })
    .join('');
}

const box = (className: string) => (x: number) =>
  element('rect', { x, y: LEGEND_Y - 9, width: 12, height: 10, class: className });
