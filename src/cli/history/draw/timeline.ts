/** The runs of a bot as a bar on a time line: when it polled, when not and why, and how each run ended. */
import { durationInWords } from '../../../words.js';
import { endInShort, endInWords, type Severity, severityOf } from '../end-words.js';
import type { LocalTime } from '../local-time.js';
import type { Run, Stretch } from '../runs.js';
import { type Outage, outagesIn } from '../summary.js';
import { element, label, tooltip, widthOf } from './markup.js';
import { type TimeScale, xOf } from './scale.js';

/** How high the time line is with its labels and its legend. */
export const TIMELINE_HEIGHT = 138;

const LABEL_ROWS = 3;
const ROW_HEIGHT = 16;
const MARK_Y = 8 + LABEL_ROWS * ROW_HEIGHT;
const BAR_Y = MARK_Y + 12;
const BAR_HEIGHT = 30;
const LEGEND_Y = BAR_Y + BAR_HEIGHT + 30;
/** What went wrong can be seen however short it was. */
const LEAST_WIDTH = 3;
const SEAM_WIDTH = 1.5;
/** Ends that are nearer to each other have one label. */
const NEAR = 10;
/** Shorter ones have no label. */
const LEAST_OUTAGE_SHARE = 0.002;
const MOST_OUTAGE_LABELS = 5;

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
  const notes = [...endNotes(runs, scale, time), ...outageNotes(runs, scale, time)];
  return [
    ...runs.flatMap((run) => stretchesOf(run, scale, time)),
    ...runs.flatMap((run) => seamBefore(run, scale)),
    ...gapsBetween(runs, scale, time),
    ...placed(notes, scale),
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

/** A label above the bar. */
interface Note {
  readonly x: number;
  readonly text: string;
  readonly className: string;
}

/** Of what did not end as it should; ends that are near to each other are told together. */
function endNotes(runs: readonly Run[], scale: TimeScale, time: LocalTime): readonly Note[] {
  const groups: { readonly x: number; lastX: number; readonly runs: Run[] }[] = [];
  for (const run of runs) {
    if (severityOf(run) === 'fine' || run.end.toMs < scale.fromMs) continue;
    const x = xOf(scale, run.end.fromMs);
    const last = groups.at(-1);
    if (last && x - last.lastX < NEAR) {
      last.runs.push(run);
      last.lastX = x;
    } else groups.push({ x, lastX: x, runs: [run] });
  }
  return groups.flatMap((group) => {
    const [first] = group.runs;
    if (!first) return [];
    const words = new Set(group.runs.map(endInShort));
    const times = group.runs.length > 1 ? `${group.runs.length} × ` : '';
    const isBad = group.runs.some((run) => severityOf(run) === 'bad');
    return {
      x: group.x,
      text: `${time.dayTime(first.end.fromMs)} ${times}${[...words].slice(0, 2).join(', ')}`,
      className: isBad ? 'bad' : 'cut',
    };
  });
}

/** Of the longest times in which something kept the bot from polling. */
function outageNotes(runs: readonly Run[], scale: TimeScale, time: LocalTime): readonly Note[] {
  const leastMs = (scale.toMs - scale.fromMs) * LEAST_OUTAGE_SHARE;
  const length = ({ fromMs, toMs }: Outage) => toMs - fromMs;
  return outagesIn(runs)
    .filter((outage) => length(outage) >= leastMs && outage.toMs > scale.fromMs)
    .toSorted((a, b) => length(b) - length(a))
    .slice(0, MOST_OUTAGE_LABELS)
    .map((outage) => ({
      x: xOf(scale, outage.fromMs),
      text: `${time.dayTime(outage.fromMs)} ${outage.why} ${durationInWords(length(outage))}`,
      className: 'hindered',
    }));
}

interface Placed {
  readonly from: number;
  readonly to: number;
  readonly row: number;
  /** Where the line is that leads from the label down to its mark. */
  readonly x: number;
}

/** Puts each label where it touches no other; first those that cross no other's line either, then those that have to. */
function placed(notes: readonly Note[], scale: TimeScale): readonly string[] {
  const taken = new Map<Note, Placed>();
  const byWeight = notes.toSorted((a, b) => weight(b) - weight(a) || a.x - b.x);
  for (const isBad of [collides, overlaps])
    for (const note of byWeight) {
      if (taken.has(note)) continue;
      const isFree = (place: Placed) => [...taken.values()].every((one) => !isBad(place, one));
      const place = candidatesFor(note, scale).find(isFree);
      if (place) taken.set(note, place);
    }
  const yOf = ({ row }: Placed) => MARK_Y - 12 - row * ROW_HEIGHT;
  const leaders = [...taken.values()].map((place) =>
    element('line', { x1: place.x, x2: place.x, y1: yOf(place) + 3, y2: MARK_Y - 7, class: 'leader' }),
  );
  const labels = [...taken].map(([{ text, className }, place]) =>
    label(place.from + 4, yOf(place), text, { class: `note ${className}` }),
  );
  return [...leaders, ...labels];
}

/** In the lowest row first, to the right of the mark before its left. */
function candidatesFor({ x, text }: Note, { left, right }: TimeScale): readonly Placed[] {
  const width = widthOf(text) + 8;
  const starts = [x - 8, x - width + 8].map((from) => Math.max(left, Math.min(from, right - width)));
  return Array.from({ length: LABEL_ROWS }, (_, row) => row).flatMap((row) =>
    starts.map((from) => ({ from, to: from + width, row, x })),
  );
}

const overlaps = (a: Placed, b: Placed): boolean => a.row === b.row && a.to > b.from && a.from < b.to;

function collides(a: Placed, b: Placed): boolean {
  if (a.row === b.row) return overlaps(a, b);
  const [lower, upper] = a.row < b.row ? [a, b] : [b, a];
  return upper.x > lower.from - 2 && upper.x < lower.to + 2;
}

const weight = ({ className }: Note): number => ['hindered', 'cut', 'bad'].indexOf(className);

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
