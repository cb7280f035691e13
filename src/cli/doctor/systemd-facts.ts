/** Looks at the units of lastcall on this host, by `systemctl show`. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../../host/read-text.js';
import { tryOr } from '../../thrown.js';
import { isLastcallRun } from './processes.js';

export interface Unit {
  /** Such as `lastcall.service`. */
  readonly name: string;
  /** The file of the unit. */
  readonly file: string;
  readonly argv: readonly string[];
  /** All properties that were asked for, as systemctl prints them. */
  readonly properties: Readonly<Record<string, string>>;
  /** The variables that the unit sets, those of its files included as far as this user may read them. */
  readonly env: Readonly<Record<string, string>>;
  /** The file of the credential with the token; undefined if there is none. */
  readonly tokenFile: string | undefined;
}

const properties = [
  ...[
    'Id',
    'FragmentPath',
    'DropInPaths',
    'ExecStart',
    'WorkingDirectory',
    'Environment',
    'EnvironmentFiles',
  ],
  ...['Type', 'NotifyAccess', 'TimeoutStopUSec', 'WatchdogUSec', 'Restart', 'RestartPreventExitStatus'],
  ...[
    'RestartUSec',
    'StartLimitIntervalUSec',
    'StartLimitBurst',
    'KillMode',
    'ActiveState',
    'SubState',
    'Result',
    'ExecMainStatus',
    'MainPID',
  ],
  ...['UnitFileState', 'NeedDaemonReload', 'MemoryDenyWriteExecute', 'StateDirectory', 'User'],
];

/** Where units of this host are, in the order of their precedence. */
const unitFolders = ['/etc/systemd/system', '/run/systemd/system', '/usr/lib/systemd/system'];
/** There where systemd runs the machine. */
const BOOTED = '/run/systemd/system';

/** Resolves to the units that start `lastcall run`; none where no systemd runs. Rejects if it does not answer. */
export async function findUnits(signal: AbortSignal): Promise<readonly Unit[]> {
  if (!existsSync(BOOTED)) return [];
  const args = [
    'show',
    '--no-pager',
    `--property=${properties.join(',')}`,
    '--',
    '*.service',
    ...installedUnits(),
  ];
  const text = await new Promise<string>((resolve, reject) => {
    const options = {
      signal,
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 1 << 24,
    } as const;
    execFile('systemctl', args, options, (error, stdout) =>
      stdout === '' && error ? reject(error) : resolve(stdout),
    );
  });
  return parseUnits(text);
}

/** The names of units that no systemd may have loaded yet. Templates have no properties of their own. */
function installedUnits(): readonly string[] {
  const names = unitFolders.flatMap((folder) =>
    tryOr(() => readdirSync(folder), []).filter(
      (name) => /^[^@]+\.service$/.test(name) && /\brun\b/.test(execStartIn(join(folder, name))),
    ),
  );
  return [...new Set(names)];
}

const execStartIn = (file: string): string => /^ExecStart=.*/m.exec(readText(file) ?? '')?.[0] ?? '';

/** Parses what `systemctl show` prints, and keeps the units that start `lastcall run`. */
export function parseUnits(
  text: string,
  read: (path: string) => string | undefined = readText,
): readonly Unit[] {
  const units = new Map<string, Unit>();
  for (const block of text.split('\n\n')) {
    const found: Record<string, string> = {};
    for (const line of block.split('\n')) {
      const at = line.indexOf('=');
      const [name, value] = [line.slice(0, at), line.slice(at + 1)];
      // Some properties have a line for each of their values.
      if (at > 0) found[name] = found[name] ? `${found[name]}\n${value}` : value;
    }
    const { Id: name = '', FragmentPath: file = '', ExecStart = '' } = found;
    const argv = (/argv\[\]=(.*?) ; /.exec(ExecStart)?.[1] ?? '').split(' ');
    if (!isLastcallRun(argv) && !isWrapped(argv)) continue;
    const texts = [file, ...(found['DropInPaths'] ?? '').split(' ')]
      .map((path) => read(path) ?? '')
      .join('\n');
    const env = {
      ...parseWords(found['Environment'] ?? ''),
      ...filesOf(found['EnvironmentFiles'] ?? '', read),
    };
    const tokenFile = [...texts.matchAll(/^LoadCredential=bot-token:(\S+)/gm)].at(-1)?.[1];
    units.set(name, { name, file, argv, properties: found, env, tokenFile });
  }
  return [...units.values()];
}

/** Whether a package manager starts what may be lastcall. */
export const isWrapped = (argv: readonly string[]): boolean =>
  argv.slice(0, 2).some((word) => /(^|\/)(npm|npx|yarn|npx-cli\.js|npm-cli\.js)$/.test(word)) &&
  argv.some((word) => /lastcall/.test(word));

/** `A=1 "B=with blanks"` */
function parseWords(text: string): Record<string, string> {
  const words = [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)];
  return pairs(words.map(([, quoted, plain]) => (quoted ?? plain ?? '').replace(/\\(.)/g, '$1')));
}

function filesOf(text: string, read: (path: string) => string | undefined): Record<string, string> {
  const paths = text.split('\n').map((line) => line.replace(/ \(ignore_errors=\w+\)$/, ''));
  const lines = paths.flatMap((path) => (path === '' ? [] : (read(path) ?? '').split('\n')));
  const set = lines.map((line) => line.trim()).filter((line) => line !== '' && !/^[#;]/.test(line));
  return pairs(set.map((line) => line.replace(/^([^=]+)=(["'])(.*)\2$/, '$1=$3')));
}

const pairs = (words: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    words
      .filter((word) => word.includes('='))
      .map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );

const unitsMs: Readonly<Record<string, number>> = {
  ...{ us: 0.001, ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
  ...{ month: 2_629_800_000, y: 31_557_600_000 },
};

/** Parses a time as systemctl prints it, `1min 35s`; Infinity for `infinity`. */
export function parseTimeSpan(text: string): number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '0') return 0;
  return text
    .split(' ')
    .reduce(
      (sum, part) => sum + Number.parseFloat(part) * (unitsMs[part.replace(/^[\d.]+/, '')] ?? Number.NaN),
      0,
    );
}
