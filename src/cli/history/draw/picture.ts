/** A bot's history as one picture: the time line, the curves below it on the same axis of time, and one stop. */
import { endInWords } from '../end-words.js';
import type { LocalTime } from '../local-time.js';
import type { Run } from '../runs.js';
import { runsWithin } from '../summary.js';
import { element, label } from './markup.js';
import { type Tick, type TimeScale, timeTicks } from './scale.js';
import { backlogPanel, latencyPanel, PANEL_HEIGHT, ratePanel } from './series.js';
import { type StoppedRun, shortened, stopTree, stopTreeHeight } from './stop-tree.js';
import { colours, pictureStyle } from './theme.js';
import { TIMELINE_HEIGHT, timeline } from './timeline.js';

const WIDTH = 1120;
const LEFT = 62;
const RIGHT = WIDTH - 16;
const AXIS_HEIGHT = 24;
const HEAD_HEIGHT = 34;
/** Where the hours and days stand: right below the bar of the time line. */
const AXIS_Y = 98;

export interface PictureOptions {
  readonly fromMs: number;
  readonly toMs: number;
  readonly time: LocalTime;
}

/** Time line and curves. */
export function overview(runs: readonly Run[], options: PictureOptions): string {
  const { height, markup } = overviewAt(runs, options, 0);
  return svg(height, markup);
}

/** One stop. */
export function stopPicture(run: StoppedRun): string {
  return svg(stopTreeHeight(run), stopTree(run, { left: 0, right: RIGHT }, 0));
}

/**
 * All of it, as a file of its own.
 *
 * @param title what it shows
 * @param stop the stop to show, if there is one
 */
export function wholePicture(
  title: string,
  runs: readonly Run[],
  stop: StoppedRun | undefined,
  options: PictureOptions,
): string {
  const { fromMs, toMs, time } = options;
  const { height, markup } = overviewAt(runs, options, HEAD_HEIGHT);
  const span = `${time.dateTime(fromMs)} to ${time.dateTime(toMs)}, ${time.zone}`;
  const head = [
    label(LEFT, 24, title, { class: 'head' }),
    label(RIGHT, 24, span, { class: 'muted', 'text-anchor': 'end' }),
  ];
  const tree = stop ? stopBelow(stop, time, height + 10) : [];
  const whole = height + (stop ? stopTreeHeight(stop) + 2 * HEAD_HEIGHT : 10);
  const back = element('rect', { width: WIDTH, height: whole, class: 'back' });
  const style = element('style', {}, colours + pictureStyle);
  return svg(whole, [style, back, ...head, markup, ...tree].join(''), WIDTH);
}

function stopBelow(run: StoppedRun, time: LocalTime, y: number): readonly string[] {
  const title = `The stop of ${time.dateTime(run.end.fromMs)}: ${endInWords(run)}`;
  return [
    label(LEFT, y + 14, shortened(title, RIGHT - LEFT), { class: 'title' }),
    stopTree(run, { left: LEFT, right: RIGHT }, y + HEAD_HEIGHT),
  ];
}

function overviewAt(
  runs: readonly Run[],
  { fromMs, toMs, time }: PictureOptions,
  y: number,
): { readonly height: number; readonly markup: string } {
  const scale: TimeScale = { fromMs, toMs, left: LEFT, right: RIGHT };
  const seen = runsWithin(runs, scale);
  const ticks = timeTicks(scale, time);
  const panels = [ratePanel, latencyPanel, backlogPanel];
  const height = TIMELINE_HEIGHT + AXIS_HEIGHT + panels.length * PANEL_HEIGHT;
  const markup = [
    ...axis(ticks),
    timeline(seen, scale, time),
    ...panels.map((panel, index) =>
      panel(seen, { scale, ticks }, TIMELINE_HEIGHT + AXIS_HEIGHT + index * PANEL_HEIGHT),
    ),
  ];
  return { height: y + height, markup: element('g', { transform: `translate(0 ${y})` }, ...markup) };
}

function axis(ticks: readonly Tick[]): readonly string[] {
  return ticks.flatMap(({ x, text, isDay }) => [
    element('line', { x1: x, x2: x, y1: AXIS_Y, y2: AXIS_Y + 4, class: isDay ? 'day' : 'grid' }),
    label(x, AXIS_Y + 15, text, { class: isDay ? 'title' : 'muted', 'text-anchor': 'middle' }),
  ]);
}

function svg(height: number, content: string, width?: number): string {
  const hatch = element(
    'defs',
    {},
    element(
      'pattern',
      { id: 'doubt', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      element('rect', { width: 6, height: 6, class: 'back' }),
      element('line', { x1: 0, x2: 0, y1: 0, y2: 6, class: 'doubt' }),
    ),
  );
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${WIDTH} ${Math.ceil(height)}`,
      width,
      height: width === undefined ? undefined : Math.ceil(height),
      role: 'img',
    },
    hatch,
    content,
  );
}
