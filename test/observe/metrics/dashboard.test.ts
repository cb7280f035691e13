import { writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { dashboard } from '../../../src/observe/metrics/dashboard.js';
import { type MetricRow, metricTable } from '../../../src/observe/metrics/table.js';
import { Folder } from '../../support/folder.js';
import { noPromtool, promtool } from '../../support/metrics.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

// As Grafana reads it.
const read: { readonly panels: readonly Panel[]; readonly uid: string; readonly schemaVersion: number } =
  JSON.parse(JSON.stringify(dashboard()));
const queries = read.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const table: Readonly<Record<string, MetricRow>> = metricTable;

describe('the dashboard', () => {
  it('asks for metrics that there are, by labels that they have', () => {
    for (const query of queries)
      for (const [, name = '', selector = ''] of query.matchAll(
        /\b((?:lastcall|process|nodejs)_\w+)\{([^}]*)\}/g,
      )) {
        const row = table[name] ?? table[name.replace(/_bucket$/, '')];
        expect([name, row]).toEqual([name, expect.anything()]);
        for (const [, label = ''] of selector.matchAll(/(\w+)=/g))
          expect(['job', 'instance', ...(row?.labels ?? [])]).toContain(label);
      }
  });

  it('shows what most metrics say', () => {
    const own = Object.keys(table).filter((name) => name.startsWith('lastcall_'));
    const shown = own.filter((name) => queries.some((query) => query.includes(name)));
    expect(shown.length / own.length).toBeGreaterThan(0.6);
  });

  it('has panels with ids of their own, none over another', () => {
    expect(new Set(read.panels.map(({ id }) => id)).size).toBe(read.panels.length);
    const cells = read.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of read.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    for (const { targets = [] } of read.panels)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  (noPromtool === undefined ? it : it.skip)(
    `asks in the language of Prometheus${noPromtool === undefined ? '' : ` (skipped: ${noPromtool})`}`,
    () => {
      using folder = new Folder();
      const rules = queries.map((query, index) => ({
        record: `query_${index}`,
        expr: query.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance|bot)/g, '.*'),
      }));
      writeFileSync(folder.file('rules.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      expect(promtool(['check', 'rules', folder.file('rules.yml')])).toContain(`${rules.length} rules found`);
    },
  );
});
