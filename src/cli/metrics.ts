/** `lastcall metrics`: what METRICS serves, and what Prometheus and Grafana can be given for it. */
import { parseArguments, refuseBadArguments } from '../config/arguments.js';
import { ExitCode } from '../exit-code.js';
import { rulesFile } from '../observe/metrics/alert-rules.js';
import { dashboard } from '../observe/metrics/dashboard.js';
import { type MetricRow, metricTable } from '../observe/metrics/table.js';
import type { CommandContext } from './command.js';
import { print } from './inbox/print.js';
import { accepted, options } from './options.js';

export async function metrics(io: CommandContext): Promise<number> {
  const given = parseArguments(io.args, { options: accepted(options.metrics), files: 0 });
  refuseBadArguments(given);
  const texts = [];
  if (given.options.has('rules')) texts.push(rulesFile());
  if (given.options.has('dashboard')) texts.push(`${JSON.stringify(dashboard(), undefined, 2)}\n`);
  await print(io, texts.length > 0 ? texts : [list()]);
  return ExitCode.clean;
}

function list(): string {
  const lines = Object.entries<MetricRow>(metricTable).map(([name, { type, help, labels }]) => {
    const braces = labels.length > 0 ? `{${labels.join(', ')}}` : '';
    return `${name}${braces} (${type})\n    ${help}\n`;
  });
  return lines.join('');
}
