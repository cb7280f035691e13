/** Holds the sources to the table of who may import whom, and to the absence of cycles. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const root = join(import.meta.dirname, '..', 'src');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

const imports: Import[] = files.flatMap((from) => {
  const source = readFileSync(join(root, from), 'utf8');
  const statements = /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/gm;
  return [...source.matchAll(statements)].map(([, type, path, dynamic]) => {
    const specifier = path ?? dynamic ?? '';
    const to = specifier.startsWith('.')
      ? normalize(join(dirname(from), specifier)).replace(/\.js$/, '.ts')
      : specifier;
    return { from, to, typeOnly: type !== undefined };
  });
});

/** A file's part: its folder, or its own name at the top. */
const partOf = (file: string): string => file.split(sep)[0]?.replace(/\.ts$/, '') ?? '';
const isLocal = (to: string): boolean => to.endsWith('.ts');

/** What anybody may import: they know nothing of bots, and import nothing but each other. */
const leaves = [
  'abort',
  'ages',
  'branded',
  'clock',
  'counted-clock',
  'duration',
  'errors',
  'exit-code',
  'file-system',
  'json',
  'listener',
  'make-folder',
  'replace-file',
  'request-origin',
  'steady-clock',
  'system-error',
  'thrown',
  'token',
  'words',
];
const core = ['lifecycle', 'polling', 'inbox', 'dispatch'];
const adapters = ['telegraf', 'host', 'config', 'logging', 'observe', 'sandbox'];
const parts = [...core, ...adapters];

/** What each part may import besides itself and the leaves; `types` may be imported as types only. */
const allowed: Record<string, { readonly values: readonly string[]; readonly types: readonly string[] }> = {
  main: { values: ['cli', 'host'], types: [] },
  cli: { values: ['app', 'container-fit', ...parts], types: [] },
  index: { values: ['app', 'embed', 'bot-hook', 'set-up-hook', ...parts], types: [] },
  embed: { values: ['app', 'container-fit', ...parts], types: ['bot-hook'] },
  'container-fit': { values: ['host'], types: ['config'] },
  app: {
    values: [
      'bot-folders',
      'bot-hook',
      'drain-hook',
      'lock-hook',
      'metrics-hook',
      'observers',
      'run-end',
      'shared-inbox',
      'bots',
      'stop-budget',
      ...parts,
    ],
    types: [],
  },
  observers: { values: [], types: ['observe'] },
  'run-end': { values: ['host', 'lifecycle', 'logging'], types: ['bots', 'observe'] },
  'bot-folders': { values: ['former-inboxes', 'host', 'unused-journal'], types: ['observe'] },
  'former-inboxes': { values: ['host', 'inbox'], types: [] },
  'unused-journal': { values: ['inbox'], types: ['host'] },
  'drain-hook': { values: [], types: ['lifecycle'] },
  'stop-budget': { values: ['host', 'lifecycle'], types: [] },
  'bot-hook': { values: ['lock-hook', 'set-up-hook', ...parts], types: ['bots'] },
  'set-up-hook': { values: parts, types: [] },
  'metrics-hook': { values: ['observe'], types: ['lifecycle', 'pipeline'] },
  'lock-hook': { values: [], types: ['host', 'lifecycle'] },
  bots: { values: ['bots-gauges', 'launch-pipeline', 'polled-bot', ...parts], types: ['pipeline'] },
  'bots-gauges': { values: ['tally'], types: ['logging', 'observe', 'pipeline-gauges'] },
  'launch-pipeline': { values: ['host', 'pipeline', 'telegraf'], types: [] },
  'polled-bot': { values: [], types: ['pipeline', ...parts] },
  tally: { values: [], types: ['logging'] },
  pipeline: { values: ['bot-inbox', 'pipeline-gauges', ...parts], types: ['shared-inbox'] },
  'pipeline-gauges': { values: ['observe'], types: parts },
  'bot-inbox': { values: ['config', 'host', 'inbox', 'telegraf'], types: ['shared-inbox'] },
  'shared-inbox': { values: ['host', 'inbox'], types: ['config'] },
  bot: { values: [], types: ['index'] },
  ...Object.fromEntries(adapters.map((part) => [part, { values: [], types: core }])),
  logging: { values: [], types: [...core, 'host'] },
  observe: { values: [], types: [...core, 'host', 'pipeline', 'pipeline-gauges', 'bots-gauges'] },
  ...Object.fromEntries([...core, ...leaves].map((part) => [part, { values: [], types: [] }])),
};

/**
 * What each folder of the inbox may import of the inbox; '' stands for the files at its top, which everybody who may
 * import the inbox may import. Other parts may import only what `outside` says.
 */
const inboxFolders: Record<string, readonly string[]> = {
  '': [],
  log: [],
  store: ['', 'log'],
  journal: ['', 'log', 'store'],
  memory: [''],
  postgres: [''],
};
const outside: Record<string, readonly string[]> = {
  cli: ['', 'store', 'postgres'],
  demo: ['', 'store'],
  'former-inboxes': ['', 'log', 'store'],
  'unused-journal': ['store'],
};

/** The folder of the inbox that a file is in, '' for its top; undefined for files of other parts. */
function inboxFolderOf(file: string): string | undefined {
  const [part, ...rest] = file.split(sep);
  if (part !== 'inbox') return undefined;
  return rest.length > 1 ? rest[0] : '';
}

/** The one file by which each package enters. */
const packageAdapters: Record<string, readonly string[]> = {
  dotenv: ['config/load.ts'],
  'node-unix-socket': ['host/systemd.ts'],
  pg: ['inbox/postgres/pg.ts'],
  pino: ['logging/logger.ts'],
  'prom-client': ['observe/metrics/prom-client.ts'],
  'pino-pretty': ['logging/pretty.ts'],
  telegraf: ['telegraf/telegraf.ts'],
};

describe('the architecture', () => {
  it('finds the sources it is to check', () => {
    expect(files.length).toBeGreaterThan(30);
    expect(imports.length).toBeGreaterThan(100);
  });

  it('lets each part import only what the table allows', () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      if (!isLocal(to)) return false;
      const [part, target] = [partOf(from), partOf(to)];
      if (part === target || leaves.includes(target)) return false;
      const rule = allowed[part];
      return !(rule?.values.includes(target) || (typeOnly && rule?.types.includes(target)));
    });
    expect(wrong).toEqual([]);
  });

  it('lets the folders of the inbox import downwards only, and the commands stop at its store', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [folder, target] = [inboxFolderOf(from), inboxFolderOf(to)];
      if (target === undefined || folder === target) return false;
      const rule = folder === undefined ? outside[partOf(from)] : (inboxFolders[folder] ?? []);
      return rule !== undefined && !rule.includes(target);
    });
    expect(wrong).toEqual([]);
  });

  it('lets each package enter by one file', () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      if (isLocal(to) || to.startsWith('node:')) return false;
      const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] ?? to);
      return !typeOnly && !packageAdapters[name]?.includes(from.split(sep).join('/'));
    });
    expect(wrong).toEqual([]);
  });

  it('keeps `process`, the environment and the console out of the core', () => {
    const inCore = files.filter((file) => core.includes(partOf(file)));
    const wrong = inCore.filter((file) =>
      /\bprocess\.|\bconsole\.|node:process/.test(
        readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('calls process.exit in main only, and in what runs in processes of others', () => {
    const wrong = files.filter(
      (file) =>
        !['main.ts', join('telegraf', 'takeover', 'child.ts')].includes(file) &&
        /\bprocess\.exit\(/.test(
          readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$|`[^`]*`|'[^'\n]*'/gm, ''),
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('has no cycle of values', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (isLocal(to) && !typeOnly) edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    const cycles: string[][] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
      if (done.has(file) || path.includes(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
