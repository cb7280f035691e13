/** The labels over the time line: what went wrong and when, each with a line down to its mark. */
import { durationInWords } from '../../../words.js';
import { endInShort, severityOf } from '../end-words.js';
import type { LocalTime } from '../local-time.js';
import type { Run } from '../runs.js';
import { type Outage, outagesIn } from '../summary.js';
import { element, label, widthOf } from './markup.js';
import { type TimeScale, xOf } from './scale.js';

const ROWS = 3;
const ROW_HEIGHT = 16;
/** Ends that are nearer to each other have one label. */
const NEAR = 10;
/** Shorter ones have no label. */
const LEAST_OUTAGE_SHARE = 0.002;
const MOST_OUTAGE_LABELS = 5;

/** How high the labels are. */
export const NOTES_HEIGHT = ROWS * ROW_HEIGHT;

/** @param y where the marks are */
export function notes(runs: readonly Run[], scale: TimeScale, time: LocalTime, y: number): readonly string[] {
  return placed([...endNotes(runs, scale, time), ...outageNotes(runs, scale, time)], scale, y);
}

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
function placed(notes: readonly Note[], scale: TimeScale, markY: number): readonly string[] {
  const taken = new Map<Note, Placed>();
  const byWeight = notes.toSorted((a, b) => weight(b) - weight(a) || a.x - b.x);
  for (const isBad of [collides, overlaps])
    for (const note of byWeight) {
      if (taken.has(note)) continue;
      const isFree = (place: Placed) => [...taken.values()].every((one) => !isBad(place, one));
      const place = candidatesFor(note, scale).find(isFree);
      if (place) taken.set(note, place);
    }
  const yOf = ({ row }: Placed) => markY - 12 - row * ROW_HEIGHT;
  const leaders = [...taken.values()].map((place) =>
    element('line', { x1: place.x, x2: place.x, y1: yOf(place) + 3, y2: markY - 7, class: 'leader' }),
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
  return Array.from({ length: ROWS }, (_, row) => row).flatMap((row) =>
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
