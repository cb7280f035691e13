/** The tables of settings and events as the README shows them. */
import { flagsOf } from '../../src/config/help.js';
import { settingKeys, settings } from '../../src/config/schema.js';
import { eventTable } from '../../src/logging/events.js';
import { type MetricRow, metricTable } from '../../src/observe/metrics/table.js';

export function settingsMarkdown(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const lines = settingKeys.map((key) => {
    const { name, fallback, help, shared } = settings[key];
    const flags = flagsOf(settings[key]);
    return `| \`${name}\`${flags ? `<br>\`${flags}\`` : ''}${shared ? '<br>shared' : ''} | ${cell(fallback)} | ${cell(help)} |`;
  });
  return ['| setting | default | what it does |', '| --- | --- | --- |', ...lines].join('\n');
}

export function eventsMarkdown(): string {
  const lines = Object.entries(eventTable).map(
    ([name, { level, means }]) => `| \`${name}\` | ${level} | ${means} |`,
  );
  return ['| event | level | when |', '| --- | --- | --- |', ...lines].join('\n');
}

export function metricsMarkdown(): string {
  const lines = Object.entries<MetricRow>(metricTable).map(([name, { type, labels, help }]) => {
    const braces = labels.length > 0 ? `{${labels.join(', ')}}` : '';
    return `| \`${name}${braces}\` | ${type} | ${help} |`;
  });
  return ['| metric | type | what it says |', '| --- | --- | --- |', ...lines].join('\n');
}
