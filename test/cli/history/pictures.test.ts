/** The pictures of a made-up week, looked at in Chromium as a person would: what is where, in which colour, readable. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { page } from '../../../src/cli/history/draw/page.js';
import { wholePicture } from '../../../src/cli/history/draw/picture.js';
import { hasSteps } from '../../../src/cli/history/draw/stop-tree.js';
import { severityOf } from '../../../src/cli/history/end-words.js';
import { LocalTime } from '../../../src/cli/history/local-time.js';
import type { BotHistory } from '../../../src/cli/history/read.js';
import { browser, measured, screenshot } from '../../support/browser.js';
import type { Colour, Picture } from '../../support/png.js';
import { WEEK_BEGIN_MS, WEEK_END_MS, week } from '../../support/week.js';

jest.setTimeout(90_000);

const folder = mkdtempSync(join(tmpdir(), 'lastcall-pictures-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const span = { fromMs: WEEK_BEGIN_MS, toMs: WEEK_END_MS, time: new LocalTime('UTC') };

function write(name: string, content: string): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Where something is on the page, in pixels. */
interface Box {
  readonly text: string;
  readonly className: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Returns where the elements are that a selector of each name finds, with their own text or their tooltip. */
const boxesOf = (selectors: Readonly<Record<string, string>>): string =>
  `Object.fromEntries(Object.entries(${JSON.stringify(selectors)}).map(([name, selector]) => [
    name,
    [...document.querySelectorAll(selector)].filter((one) => !one.closest('details:not([open]) > svg')).map((one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      const text = one.firstChild?.nodeType === 3 ? one.textContent : one.querySelector('title')?.textContent ?? '';
      return { text, className: one.getAttribute('class') ?? '', left, right, top, bottom };
    }),
  ]))`;

interface Seen {
  readonly texts: readonly Box[];
  readonly bars: readonly Box[];
  readonly marks: readonly Box[];
  readonly light: Picture;
  readonly dark: Picture;
}

async function lookAt(file: string): Promise<Seen> {
  const bars = ['polling', 'hindered', 'uncertain', 'down'].map((state) => `rect.${state}`).join();
  const [found, light, dark] = await Promise.all([
    measured(file, boxesOf({ texts: 'text', bars, marks: 'path.mark' })),
    screenshot({ file, scheme: 'light', height: 420 }),
    screenshot({ file, scheme: 'dark', height: 420 }),
  ]);
  const { texts, marks, ...rest } = found as Record<'texts' | 'bars' | 'marks', readonly Box[]>;
  // Those of the legend have no tooltip.
  const told = (boxes: readonly Box[]) => boxes.filter(({ text }) => text !== '');
  return { texts, bars: told(rest.bars), marks: told(marks), light, dark };
}

const overlap = (a: Box, b: Box): boolean =>
  Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;

const isNear = (a: Colour, b: Colour): boolean =>
  a.every((channel, index) => Math.abs(channel - (b[index] ?? 0)) < 8);

const middleOf = (picture: Picture, { left, right, top, bottom }: Box): Colour =>
  picture.at(Math.round((left + right) / 2), Math.round((top + bottom) / 2));

const whenBrowser = browser === undefined ? describe.skip : describe;
if (browser === undefined)
  process.stderr.write('The pictures are not looked at: there is no Chromium here.\n');

whenBrowser('the page of a week', () => {
  const bot: BotHistory = week();
  const file = write('week.html', page([bot], span));

  let seen: Seen;
  beforeAll(async () => {
    seen = await lookAt(file);
  });

  it('says at a glance what happened when, without one text on another or outside of the page', () => {
    const { texts } = seen;
    const said = texts.map(({ text }) => text);
    expect(said).toEqual(
      expect.arrayContaining([
        'Mon 04:58 machine restarted',
        'Wed 03:11 killed',
        'Thu 20:10 Telegram unreachable 24 min',
        'Fri 14:04 6 × fault, exit 70',
        'Sat 11:02 stop cut off',
        'Waiting updates: up to 420',
        'cut off after 14.5 s',
        'latest end: 20 s',
      ]),
    );
    const pairs = texts.flatMap((one, index) => texts.slice(index + 1).map((other) => [one, other] as const));
    const clashes = pairs.filter(([one, other]) => overlap(one, other));
    expect(clashes.map(([one, other]) => `${one.text} | ${other.text}`)).toEqual([]);
    for (const { left, right } of texts) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(1_200);
    }
  });

  it('puts each mark over its time, and what stopped the bot into the bar', () => {
    const { bars, marks } = seen;
    const left = Math.min(...bars.map((bar) => bar.left));
    const right = Math.max(...bars.map((bar) => bar.right));
    const xOf = (ms: number) =>
      left + ((ms - WEEK_BEGIN_MS) / (WEEK_END_MS - WEEK_BEGIN_MS)) * (right - left);
    const ended = bot.runs.filter(({ end }) => end.kind !== 'running');
    expect(marks).toHaveLength(ended.length);
    for (const [index, { end }] of ended.entries()) {
      const mark = marks[index];
      expect(((mark?.left ?? 0) + (mark?.right ?? 0)) / 2).toBeCloseTo(xOf(end.fromMs), -0.5);
    }
    const outage = bars.find(({ text }) => text.startsWith('Telegram unreachable for 24 min'));
    expect(outage?.left).toBeCloseTo(xOf(Date.UTC(2026, 10, 26, 20, 10)), -0.5);
    expect((outage?.right ?? 0) - (outage?.left ?? 0)).toBeGreaterThanOrEqual(2.5);
  });

  it.each([
    { scheme: 'light', back: [255, 255, 255], green: [45, 164, 78] },
    { scheme: 'dark', back: [13, 17, 23], green: [63, 185, 80] },
  ] as const)('is drawn in the colours of a $scheme desktop', ({ scheme, back, green }) => {
    const picture = seen[scheme];
    expect(picture.at(3, 3)).toEqual(back);
    const wide = seen.bars.filter(
      ({ left, right, className }) => className === 'polling' && right - left > 60,
    );
    expect(wide.length).toBeGreaterThan(4);
    for (const bar of wide) expect(middleOf(picture, bar)).toEqual(green);
    const outages = seen.bars.filter(({ className }) => className === 'hindered');
    for (const outage of outages) expect(isNear(middleOf(picture, outage), green)).toBe(false);
  });
});

whenBrowser('the picture of a week', () => {
  it('is a file of its own', async () => {
    const bot = week();
    const stop = bot.runs.filter(hasSteps).findLast((run) => severityOf(run) !== 'fine');
    const file = write('week.svg', wholePicture('a bot', bot.runs, stop, span));
    const picture = await screenshot({ file, scheme: 'dark', height: 300 });
    expect(picture.at(3, 3)).toEqual([13, 17, 23]);
    expect(picture.at(200, 116)).toEqual([63, 185, 80]);
  });
});

describe('what is drawn', () => {
  it('loads nothing, runs nothing, and shows what others have written as text only', () => {
    const bot = week('</title><script>alert(1)</script>');
    const stop = bot.runs.findLast(hasSteps);
    for (const text of [page([bot], span), wholePicture(bot.name ?? '', bot.runs, stop, span)]) {
      expect(text).not.toMatch(/<script|<img|<link|@import|<iframe|<foreignObject/i);
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/\b(?:https?|ftp|file|data):/);
      expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    }
    expect(page([bot], span)).toContain(`content="default-src &#39;none&#39;`.replaceAll('&#39;', "'"));
  });
});
