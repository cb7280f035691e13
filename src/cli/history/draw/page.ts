/** The history of bots as a page that stands alone: it loads nothing, and runs no script. */
import { durationInWords } from '../../../words.js';
import { endInWords, severityOf } from '../end-words.js';
import type { LocalTime } from '../local-time.js';
import type { BotHistory } from '../read.js';
import type { Run } from '../runs.js';
import { outagesIn, runsWithin, summaryOf } from '../summary.js';
import { gapInWords, lengthInWords, remarksOn, updatesInWords } from '../text.js';
import { element, escaped } from './markup.js';
import { overview, type PictureOptions, stopPicture } from './picture.js';
import { hasSteps } from './stop-tree.js';
import { colours, pageStyle, pictureStyle } from './theme.js';

/** The runs in the table, the latest ones. */
const MOST_ROWS = 200;
/** The stops that are drawn. */
const MOST_STOPS = 12;

/** @param bots with at least one run each */
export function page(bots: readonly BotHistory[], options: PictureOptions): string {
  const names = bots.map(titleOf).join(', ');
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    element('title', {}, escaped(`History of ${names}`)),
    element('style', {}, colours + pageStyle + pictureStyle),
  ].join('');
  const body = bots.map((bot) => section(bot, options)).join('');
  return `<!doctype html>\n<html lang="en"><head>${head}</head><body>${body}</body></html>\n`;
}

export const titleOf = ({ name, key }: BotHistory): string =>
  name === undefined ? `bot ${key}` : `${name} (${key})`;

function section(bot: BotHistory, options: PictureOptions): string {
  const { fromMs, toMs, time } = options;
  const runs = runsWithin(bot.runs, options);
  const stops = stopsWorthSeeing(runs);
  const trees = stops.map((run, index) =>
    element(
      'details',
      { open: index === 0 ? '' : undefined },
      element('summary', {}, escaped(`${time.dateTime(run.end.fromMs)}: ${endInWords(run)}`)),
      stopPicture(run),
    ),
  );
  return [
    element('h1', {}, escaped(titleOf(bot))),
    element(
      'p',
      { class: 'sub' },
      escaped(`${time.dateTime(fromMs)} to ${time.dateTime(toMs)}, ${time.zone}`),
    ),
    element('div', { class: 'tiles' }, ...tiles(bot.runs, options)),
    overview(bot.runs, options),
    element('h2', {}, 'Runs'),
    runTable(runs.toReversed().slice(0, MOST_ROWS), time),
    ...(trees.length > 0 ? [element('h2', {}, 'Stops, step by step'), ...trees] : []),
  ].join('');
}

/** The latest stops; those in which something went wrong come first. */
function stopsWorthSeeing(runs: readonly Run[]) {
  const stops = runs.filter(hasSteps).toReversed();
  const wrong = stops.filter((run) => severityOf(run) !== 'fine');
  return [...wrong, ...stops.filter((run) => !wrong.includes(run))].slice(0, MOST_STOPS);
}

type Tone = 'good' | 'warn' | 'wrong';

function tiles(runs: readonly Run[], options: PictureOptions): readonly string[] {
  const { bad, cut, restarts, outages, polledShare, handled, failed } = summaryOf(runs, options);
  const outageMs = outages.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const mishaps = [
    ...(bad > 0 ? [`${bad} by a kill or a fault`] : []),
    ...(cut > 0 ? [`${cut} cut off`] : []),
  ];
  return [
    stateTile(runs, options),
    tile(
      `${restarts} restart${restarts === 1 ? '' : 's'}`,
      mishaps.join(', ') || 'each after a clean stop',
      bad > 0 ? 'wrong' : cut > 0 ? 'warn' : 'good',
    ),
    tile(percent(polledShare), 'of the time polling', (polledShare ?? 1) < 0.999 ? 'warn' : 'good'),
    outages.length === 0
      ? tile('no outage', 'nothing kept it from polling', 'good')
      : tile(
          durationInWords(outageMs),
          `kept from polling, ${outages.length === 1 ? 'once' : `${outages.length} times`}`,
          'warn',
        ),
    tile(
      `${(handled + failed).toLocaleString('en')} updates`,
      failed === 0 ? 'none has failed' : `${failed} of them failed`,
      failed > 0 ? 'warn' : 'good',
    ),
  ];
}

function stateTile(runs: readonly Run[], { toMs, time }: PictureOptions): string {
  const last = runs.at(-1);
  if (!last) return '';
  if (last.end.kind !== 'running')
    return tile('not running', `since ${time.dateTime(last.end.fromMs)}`, 'wrong');
  const outage = outagesIn([last]).at(-1);
  if (outage && outage.toMs >= toMs)
    return tile(outage.why, `since ${time.dateTime(outage.fromMs)}`, 'wrong');
  return tile(
    'running',
    `for ${durationInWords(toMs - last.beganMs)}, since ${time.dateTime(last.beganMs)}`,
    'good',
  );
}

const tile = (words: string, below: string, tone: Tone): string =>
  element(
    'div',
    { class: `tile ${tone}` },
    element('b', {}, escaped(words)),
    element('span', {}, escaped(below)),
  );

/** Rounded down, so that only what is whole is 100 %. */
const percent = (share: number | undefined): string =>
  share === undefined ? '–' : `${Math.floor(share * 10_000) / 100} %`;

function runTable(runs: readonly Run[], time: LocalTime): string {
  const headings = ['Began', 'Ran', 'Gap before', 'Updates', 'End'].map((heading) =>
    element('th', { class: heading === 'Updates' ? 'number' : undefined }, heading),
  );
  const rows = runs.map((run) => {
    const remarks = remarksOn(run, time).map((remark) => element('small', {}, escaped(remark)));
    return element(
      'tr',
      { class: severityOf(run) },
      element('td', {}, escaped(time.dateTime(run.beganMs))),
      element('td', {}, escaped(lengthInWords(run))),
      element('td', {}, escaped(gapInWords(run))),
      element('td', { class: 'number' }, updatesInWords(run)),
      element('td', {}, escaped(endInWords(run)), ...remarks),
    );
  });
  return element('table', {}, element('tr', {}, ...headings), ...rows);
}
