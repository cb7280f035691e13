/**
 * `npm run bench`: lastcall against plain Telegraf, with the same bot programs in the same run. Prints a table, and
 * exits with 1 if a ratio is above its bound. With `--quick` it takes less than a minute.
 */
import { parseArgs } from 'node:util';
import { backlog, life, slowHandler, start } from './measures.js';
import { peerNames } from './peer.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const sizes = values.quick ? { updates: 2_000, slowMs: 3_000 } : { updates: 20_000, slowMs: 15_000 };

const digits = { ms: 0, MB: 1, '/s': 0 };
const columns = ['', ...peerNames, 'ratio', 'bound', ''];
const widths = [40, 12, 12, 8, 8, 8];

function print(cells) {
  const padded = cells.map((cell, column) => {
    const width = widths[column];
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  });
  console.log(padded.join('').trimEnd());
}

function shown(figure, unit) {
  if (figure === undefined) return '–';
  const number = figure.toLocaleString('en', {
    minimumFractionDigits: digits[unit],
    maximumFractionDigits: digits[unit],
  });
  return `${number} ${unit}`;
}

print(columns);
let broken = 0;
for (const measure of [start, life, backlog, slowHandler]) {
  for (const { name, unit, bound, ...figures } of await measure(sizes)) {
    const ratio = figures.lastcall / figures.telegraf;
    const verdict = bound === undefined || Number.isNaN(ratio) ? '' : ratio <= bound ? 'ok' : 'BROKEN';
    if (verdict === 'BROKEN') broken++;
    const shownRatio = Number.isNaN(ratio) ? '–' : ratio.toFixed(2);
    const shownBound = bound === undefined ? '' : `≤ ${bound}`;
    print([name, ...peerNames.map((peer) => shown(figures[peer], unit)), shownRatio, shownBound, verdict]);
  }
}
process.exitCode = broken === 0 ? 0 : 1;
