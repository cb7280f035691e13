/** The dashboard in Grafana's JSON. `lastcall metrics --dashboard` prints it. */
import { ofProcess, type Panel, rows } from './dashboard-panels.js';

/** The one that is chosen at the top of the dashboard. */
const datasource = { type: 'prometheus', uid: '$datasource' };
const COLUMNS = 24;
const HEIGHT = 8;

/** The dashboard as Grafana imports it: from version 10 on. */
export function dashboard(): object {
  return {
    uid: 'lastcall',
    title: 'lastcall',
    tags: ['telegram', 'lastcall'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [datasourceVariable, ...['job', 'instance', 'bot'].map(labelVariable)] },
    annotations: { list: [restarts] },
    panels: panels(),
  };
}

const datasourceVariable = {
  type: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  query: 'prometheus',
  hide: 0,
};

function labelVariable(label: string): object {
  const query = `label_values(lastcall_bot_state, ${label})`;
  return {
    type: 'query',
    name: label,
    label,
    datasource,
    query: { query, refId: label },
    includeAll: true,
    multi: true,
    current: { text: ['All'], value: ['$__all'] },
    refresh: 2,
    sort: 1,
    hide: 0,
  };
}

const restarts = {
  name: 'Restarts',
  datasource,
  enable: true,
  iconColor: 'purple',
  expr: `changes(process_start_time_seconds{${ofProcess}}[1m]) > 0`,
  titleFormat: 'restarted',
  textFormat: '{{instance}}',
};

function panels(): object[] {
  const all: object[] = [];
  let [x, y] = [0, 0];
  for (const [title, ofRow] of rows) {
    all.push({
      id: all.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { h: 1, w: COLUMNS, x: 0, y },
      panels: [],
    });
    [x, y] = [0, y + 1];
    for (const panel of ofRow) {
      if (x + panel.width > COLUMNS) [x, y] = [0, y + HEIGHT];
      const gridPos = { h: HEIGHT, w: panel.width, x, y };
      all.push({ id: all.length + 1, gridPos, ...inGrafana(panel) });
      x += panel.width;
    }
    y += HEIGHT;
  }
  return all;
}

function inGrafana({ title, description, type, unit, queries, mappings }: Panel): object {
  return {
    type,
    title,
    ...(description !== undefined && { description }),
    datasource,
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat,
      editorMode: 'code',
      range: true,
    })),
    fieldConfig: {
      defaults: { unit, ...(mappings && { mappings: [{ type: 'value', options: mappings }] }) },
      overrides: [],
    },
    options: options[type],
  };
}

const options: Readonly<Record<Panel['type'], object>> = {
  timeseries: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: {
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    colorMode: 'none',
    graphMode: 'none',
    justifyMode: 'auto',
    orientation: 'auto',
    textMode: 'auto',
    wideLayout: true,
    showPercentChange: false,
    percentChangeColorMode: 'standard',
  },
  'state-timeline': {
    mergeValues: true,
    showValue: 'auto',
    alignValue: 'left',
    rowHeight: 0.9,
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'single', sort: 'none' },
  },
};
