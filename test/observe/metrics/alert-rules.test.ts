import { writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { alertRules, rulesFile } from '../../../src/observe/metrics/alert-rules.js';
import { metricTable } from '../../../src/observe/metrics/table.js';
import { Folder } from '../../support/folder.js';
import { noPromtool, promtool } from '../../support/metrics.js';

/** Series as promtool writes them: `0x10` is 0, and then 0 ten times more, one a minute. */
interface Scene {
  readonly alert: string;
  readonly at: string;
  readonly firing: Readonly<Record<string, string>>;
  readonly bad: Readonly<Record<string, string>>;
  readonly good: Readonly<Record<string, string>>;
}

const where = 'job="lastcall", instance="host"';
const labels = { job: 'lastcall', instance: 'host' };

/** For each rule figures by which it fires, and others by which it must not. */
const scenes: readonly Scene[] = [
  {
    ...{ alert: 'LastcallDown', at: '4m', firing: labels },
    bad: { [`up{${where}}`]: '1 0x10' },
    good: { [`up{${where}}`]: '1 0 1x10' },
  },
  {
    ...{ alert: 'LastcallNotPolling', at: '8m', firing: { ...labels, bot: '7', state: 'hindered' } },
    bad: { [`lastcall_bot_state{${where}, bot="7", state="hindered"}`]: '0 1x20' },
    good: {
      [`lastcall_bot_state{${where}, bot="7", state="standing-by"}`]: '1x20',
      [`lastcall_bot_state{${where}, bot="8", state="hindered"}`]: '0 1 1 0x20',
    },
  },
  {
    ...{ alert: 'LastcallUpdatesWait', at: '15m', firing: { ...labels, bot: '7' } },
    bad: { [`lastcall_oldest_update_age_seconds{${where}, bot="7"}`]: '0+60x20' },
    good: { [`lastcall_oldest_update_age_seconds{${where}, bot="7"}`]: '200x20' },
  },
  // Where the inbox is in a database, there is no age.
  {
    ...{ alert: 'LastcallUpdatesWait', at: '15m', firing: { ...labels, bot: '7' } },
    bad: { [`lastcall_jammed_chats{${where}, bot="7"}`]: '0 1x20' },
    good: { [`lastcall_jammed_chats{${where}, bot="7"}`]: '0 1 0 1 0x20' },
  },
  {
    ...{ alert: 'LastcallHandlersFail', at: '40m', firing: { ...labels, bot: '7' } },
    bad: {
      [`lastcall_updates_total{${where}, bot="7", result="handled"}`]: '0+60x60',
      [`lastcall_updates_total{${where}, bot="7", result="timed-out"}`]: '0+6x60',
    },
    good: {
      [`lastcall_updates_total{${where}, bot="7", result="handled"}`]: '0+60x60',
      [`lastcall_updates_total{${where}, bot="7", result="failed"}`]: '0+1x60',
      [`lastcall_updates_total{${where}, bot="7", result="dropped"}`]: '0+90x60',
      [`lastcall_updates_total{${where}, bot="8", result="handled"}`]: '0x60',
      [`lastcall_updates_total{${where}, bot="8", result="failed"}`]: '0x60',
    },
  },
  {
    ...{ alert: 'LastcallRestarts', at: '20m', firing: labels },
    bad: { [`process_start_time_seconds{${where}}`]: '100+60x30' },
    good: { [`process_start_time_seconds{${where}}`]: '100 100 200 200x30' },
  },
];

const itWithPromtool = noPromtool === undefined ? it : it.skip;
const skipped = noPromtool === undefined ? '' : ` (skipped: ${noPromtool})`;

/** A file of tests for promtool, which is JSON as well as YAML. */
function testsOf({ alert, at, firing, bad, good }: Scene): string {
  const seriesOf = (figures: Scene['bad']) =>
    Object.entries(figures).map(([series, values]) => ({ series, values }));
  const rule = alertRules.find((one) => one.alert === alert);
  const test = (figures: Scene['bad'], isFiring: boolean) => ({
    interval: '1m',
    input_series: seriesOf(figures),
    // Only whether it fires is asked, and by which labels: the words hold figures.
    promql_expr_test: [
      {
        expr: `count by (${Object.keys(firing).join(', ')}) (ALERTS{alertname="${alert}", alertstate="firing"})`,
        eval_time: at,
        exp_samples: isFiring
          ? [{ labels: `{${Object.entries(firing).map(([name, value]) => `${name}="${value}"`)}}`, value: 1 }]
          : [],
      },
    ],
  });
  expect(rule).toBeDefined();
  return JSON.stringify({
    rule_files: ['rules.yml'],
    evaluation_interval: '1m',
    tests: [test(bad, true), test(good, false)],
  });
}

describe('the alert rules', () => {
  it('are five, each with words for people, over metrics that there are', () => {
    expect(alertRules.map(({ alert }) => alert)).toEqual([...new Set(scenes.map(({ alert }) => alert))]);
    for (const { expr, summary, description } of alertRules) {
      expect(summary).not.toBe('');
      expect(description).not.toBe('');
      for (const [name] of expr.matchAll(/\b(lastcall|process|nodejs)_\w+/g))
        expect(Object.keys(metricTable)).toContain(name);
    }
  });

  itWithPromtool(`are rules to Prometheus${skipped}`, () => {
    using folder = new Folder();
    writeFileSync(folder.file('rules.yml'), rulesFile());
    expect(promtool(['check', 'rules', folder.file('rules.yml')])).toContain('SUCCESS: 5 rules found');
  });

  itWithPromtool.each(scenes)(`fire when they should, and only then: $alert${skipped}`, (scene) => {
    using folder = new Folder();
    writeFileSync(folder.file('rules.yml'), rulesFile());
    writeFileSync(folder.file('tests.yml'), testsOf(scene));
    expect(promtool(['test', 'rules', folder.file('tests.yml')])).toContain('SUCCESS');
  });
});
