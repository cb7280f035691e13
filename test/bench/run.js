/**
 * `npm run bench`: lastcall, with each of its inboxes, against plain Telegraf and grammY with its runner, with the same
 * bots in the same run. Prints a table, and exits with 1 where a bound is broken. With `--quick` it takes about a
 * minute; `--only backlog` runs one measure.
 */
import { parseArgs } from 'node:util';
import { backlog } from './measures/backlog.js';
import { hosts } from './measures/hosts.js';
import { largestBots } from './measures/largest-bots.js';
import { life } from './measures/life.js';
import { memory } from './measures/memory.js';
import { metrics } from './measures/metrics.js';
import { roundTrips } from './measures/round-trips.js';
import { slowChat } from './measures/slow-chat.js';
import { start } from './measures/start.js';
import { peerNames } from './peers.js';

const measures = { start, life, backlog, roundTrips, memory, slowChat, metrics, hosts, largestBots };

/** Left out with `--quick` unless they are named: they compare with nobody, and start a PostgreSQL server. */
const slow = ['hosts', 'largestBots'];

/** Single starts vary by a third, the median of 15 by a twentieth. */
const full = {
  starts: 15,
  lives: 5,
  updates: 20_000,
  answers: 20_000,
  warmUpAnswers: 15_000,
  scrapedAnswers: 45_000,
  rounds: 5,
  tripUpdates: 6_000,
  memoryUpdates: 200_000,
  slowMs: 15_000,
  fleetRounds: 5,
  fleetUpdates: 10_000,
  fleetBacklog: 100_000,
  idleUpdates: 300,
  computedUpdates: 600,
  batchesOfBot: 100,
};
const quick = {
  starts: 7,
  lives: 1,
  updates: 20_000,
  answers: 3_000,
  warmUpAnswers: 8_000,
  scrapedAnswers: 3_000,
  rounds: 3,
  tripUpdates: 1_500,
  memoryUpdates: 10_000,
  slowMs: 1_000,
  fleetRounds: 1,
  fleetUpdates: 10_000,
  fleetBacklog: 20_000,
  idleUpdates: 50,
  computedUpdates: 200,
  batchesOfBot: 20,
};

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const wanted =
  values.only ?? Object.keys(measures).filter((measure) => !values.quick || !slow.includes(measure));
for (const name of wanted)
  if (!Object.hasOwn(measures, name))
    throw new RangeError(`no measure '${name}'; there are ${Object.keys(measures).join(', ')}`);

const digits = { ms: 0, MB: 1, '/s': 0, '×': 2, 'ms CPU': 3 };
const widths = [48, ...peerNames.map((name) => Math.max(14, name.length + 2))];

function print(cells) {
  const padded = cells.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
  );
  console.log(padded.join('').trimEnd());
}

function shown(figure, unit) {
  if (figure === undefined || Number.isNaN(figure)) return '–';
  const number = figure.toLocaleString('en', {
    minimumFractionDigits: digits[unit],
    maximumFractionDigits: digits[unit],
  });
  return `${number} ${unit}`;
}

print(['', ...peerNames]);
let broken = 0;
for (const measure of wanted.map((name) => measures[name])) {
  // Some take minutes, and give a row as soon as they have it.
  const rows = await measure(values.quick ? quick : full);
  for await (const { name, unit, figures, bounds, notes = [] } of rows) {
    print([name, ...peerNames.map((peer) => shown(figures[peer], unit))]);
    for (const note of notes) console.log(`           ${note}`);
    for (const { text, holds } of bounds) {
      if (!holds) broken++;
      console.log(`    ${holds ? 'ok    ' : 'BROKEN'} ${text}`);
    }
  }
}
process.exitCode = broken === 0 ? 0 : 1;
