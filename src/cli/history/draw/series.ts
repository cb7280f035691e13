/** What the samples of runs tell as curves over time: how long handlers took, what waited, and how much was handled. */
import type { SampleRecord } from '../../../observe/history/record.js';
import { durationInWords } from '../../../words.js';
import type { Run } from '../runs.js';
import { element, label, rounded } from './markup.js';
import { durationScale, linearScale, type Tick, type TimeScale, type ValueScale, xOf } from './scale.js';

/** How high a panel is, with its title. */
export const PANEL_HEIGHT = 128;

const TITLE_HEIGHT = 26;
const PLOT_HEIGHT = 84;
/** Samples that are further apart are not joined: a minute between them is usual. */
const JOINED_WITHIN_MS = 150_000;

/** The axis of time of a panel. */
export interface PanelAxis {
  readonly scale: TimeScale;
  readonly ticks: readonly Tick[];
}

/** The samples of one run that fall on one column of pixels. */
interface Column {
  readonly x: number;
  readonly samples: readonly SampleRecord[];
  /** When the last of them was. */
  readonly atMs: number;
}

/** A point of a curve; undefined where nothing is known, at which the curve is broken. */
type Point = { readonly x: number; readonly value: number } | undefined;

export function latencyPanel(runs: readonly Run[], axis: PanelAxis, y: number): string {
  const { scale } = axis;
  const columns = runs.map((run) => columnsOf(run, scale));
  const median = curveOf(columns, ({ samples }) =>
    mean(samples.flatMap(({ handlers }) => handlers?.medianMs ?? [])),
  );
  const p99 = curveOf(columns, ({ samples }) =>
    most(samples.flatMap(({ handlers }) => handlers?.p99Ms ?? [])),
  );
  const known = [...median, ...p99].flatMap((point) => point?.value ?? []);
  const [worst, latest] = [most(p99.flatMap((point) => point?.value ?? [])), median.findLast(Boolean)];
  const values = durationScale(Math.min(...known, 1_000), Math.max(...known, 10), ...plotOf(y));
  const title =
    worst === undefined
      ? 'Handlers: none has ended'
      : `Handlers: half within ${durationInWords(latest?.value ?? 0)} lately, 99 % within ${durationInWords(worst)} at worst`;
  const keys = [
    key(scale.right - 182, y, 'p99', '99 % within'),
    key(scale.right - 86, y, 'median', 'half within'),
  ];
  return panel(title, values, axis, y, [curve(p99, values, 'p99'), curve(median, values, 'median'), ...keys]);
}

export function backlogPanel(runs: readonly Run[], axis: PanelAxis, y: number): string {
  const { scale } = axis;
  const columns = runs.map((run) => columnsOf(run, scale));
  const waiting = curveOf(columns, ({ samples }) => most(samples.map((sample) => sample.waiting)));
  const highest = most(waiting.flatMap((point) => point?.value ?? [])) ?? 0;
  const values = linearScale(highest, ...plotOf(y));
  const title = highest === 0 ? 'Waiting updates: none' : `Waiting updates: up to ${highest}`;
  return panel(title, values, axis, y, [area(waiting, values, 'waiting')]);
}

export function ratePanel(runs: readonly Run[], axis: PanelAxis, y: number): string {
  const { scale } = axis;
  const rates = runs.flatMap((run) => [...ratesOf(run, scale), undefined]);
  const failures = rates.map((point) =>
    point && point.failed > 0 ? { x: point.x, value: point.failed } : undefined,
  );
  const highest = most(rates.flatMap((point) => point?.value ?? [])) ?? 0;
  const values = linearScale(highest, ...plotOf(y));
  const shown = highest >= 10 ? Math.round(highest) : rounded(highest);
  const title = highest === 0 ? 'Updates a minute: none' : `Updates a minute: up to ${shown}`;
  const isClean = failures.every((point) => !point);
  const keys = isClean ? [] : [key(scale.right - 60, y, 'failures', 'failed')];
  const curves = [area(rates, values, 'handled'), ...(isClean ? [] : [area(failures, values, 'failures')])];
  return panel(title, values, axis, y, [...curves, ...keys]);
}

const plotOf = (y: number): [top: number, bottom: number] => [
  y + TITLE_HEIGHT,
  y + TITLE_HEIGHT + PLOT_HEIGHT,
];

function panel(
  title: string,
  values: ValueScale,
  { scale: { left, right }, ticks }: PanelAxis,
  y: number,
  content: readonly string[],
): string {
  const grid = values.ticks.flatMap((tick) => [
    element('line', { x1: left, x2: right, y1: tick.y, y2: tick.y, class: 'grid' }),
    label(left - 8, tick.y + 4, tick.text, { class: 'muted', 'text-anchor': 'end' }),
  ]);
  const { top, bottom } = values;
  const times = ticks.map(({ x, isDay }) =>
    element('line', { x1: x, x2: x, y1: top, y2: bottom, class: isDay ? 'day' : 'grid' }),
  );
  return [label(left, y + 14, title, { class: 'title' }), ...times, ...grid, ...content].join('');
}

const key = (x: number, y: number, className: string, text: string): string =>
  element('rect', { x, y: y + 7, width: 12, height: 4, class: `key ${className}` }) +
  label(x + 17, y + 13, text, { class: 'muted' });

function columnsOf({ samples }: Run, scale: TimeScale): readonly Column[] {
  const columns: { x: number; samples: SampleRecord[]; atMs: number }[] = [];
  for (const sample of samples) {
    if (sample.atMs < scale.fromMs || sample.atMs > scale.toMs) continue;
    const x = Math.round(xOf(scale, sample.atMs));
    const last = columns.at(-1);
    if (last?.x === x) {
      last.samples.push(sample);
      last.atMs = sample.atMs;
    } else columns.push({ x, samples: [sample], atMs: sample.atMs });
  }
  return columns;
}

/** One point a column, and a break between runs and where there are no samples. */
function curveOf(
  runs: readonly (readonly Column[])[],
  valueIn: (column: Column) => number | undefined,
): readonly Point[] {
  return runs.flatMap((columns) => {
    const points = columns.flatMap((column, index): readonly Point[] => {
      const value = valueIn(column);
      const previousMs = columns[index - 1]?.atMs ?? column.atMs;
      const first = column.samples[0]?.atMs ?? column.atMs;
      const point = value === undefined ? undefined : { x: column.x, value };
      return first - previousMs > JOINED_WITHIN_MS ? [undefined, point] : [point];
    });
    return [...points, undefined];
  });
}

/** Updates a minute between one column and the next. */
function ratesOf(
  run: Run,
  scale: TimeScale,
): readonly { readonly x: number; readonly value: number; readonly failed: number }[] {
  const columns = columnsOf(run, scale);
  let before = run.samples.findLast(({ atMs }) => atMs < scale.fromMs);
  return columns.flatMap(({ x, samples, atMs }) => {
    const last = samples.at(-1);
    if (!last) return [];
    const minutes = Math.max(1 / 60, (atMs - (before?.atMs ?? run.beganMs)) / 60_000);
    const failed = Math.max(0, last.failed - (before?.failed ?? 0)) / minutes;
    const handled = Math.max(0, last.handled - (before?.handled ?? 0)) / minutes;
    before = last;
    return [{ x, value: handled + failed, failed }];
  });
}

/** A line, and a dot for each point that has no neighbours. */
function curve(points: readonly Point[], { yOf }: ValueScale, className: string): string {
  const parts = partsOf(points).map((part) =>
    part.map(({ x, value }) => `${rounded(x)} ${rounded(yOf(value))}`),
  );
  const lines = parts.filter(({ length }) => length > 1).map((part) => `M${part.join('L')}`);
  const dots = parts.filter(({ length }) => length === 1).map(([point]) => `M${point}h.01`);
  return [
    element('path', { d: lines.join(''), class: `curve ${className}` }),
    ...(dots.length === 0 ? [] : [element('path', { d: dots.join(''), class: `curve dot ${className}` })]),
  ].join('');
}

/** A curve, filled down to zero. */
function area(points: readonly Point[], values: ValueScale, className: string): string {
  const { yOf, bottom } = values;
  const filled = partsOf(points).map((part) => {
    const [first, last] = [part[0]?.x ?? 0, part.at(-1)?.x ?? 0];
    const to = Math.max(last, first + 1);
    const top = part.map(({ x, value }) => `L${rounded(x)} ${rounded(yOf(value))}`).join('');
    return `M${rounded(first)} ${rounded(bottom)}${top}L${rounded(to)} ${rounded(bottom)}z`;
  });
  const shape = element('path', { d: filled.join(''), class: `area ${className}` });
  return shape + curve(points, values, className);
}

function partsOf(points: readonly Point[]): readonly (readonly NonNullable<Point>[])[] {
  const parts: NonNullable<Point>[][] = [[]];
  for (const point of points) {
    if (point) parts.at(-1)?.push(point);
    else parts.push([]);
  }
  return parts.filter(({ length }) => length > 0);
}

/** Undefined of none. */
const most = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : Math.max(...values);

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
