/** Finds processes of this host that run a bot: those of lastcall, and others that may poll with the same token. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { packageManagerAbove } from '../../host/package-manager.js';
import { lineOf, type ProcessTable, systemTable } from '../../host/process-table.js';
import { readText } from '../../host/read-text.js';
import { isUnderShell } from '../../host/shell.js';
import { isObject, parseJson } from '../../json.js';
import { tryOr } from '../../thrown.js';
import { maskTokens } from '../../token.js';

export interface FoundProcess {
  readonly pid: number;
  readonly ppid: number;
  /** The command line, in words. */
  readonly argv: readonly string[];
  /** What it was started with; empty where this user may not see it. Later changes are not seen. */
  readonly env: Readonly<Record<string, string>>;
  /** Empty where this user may not see it. */
  readonly cwd: string;
}

/** By these paths it can only be lastcall. */
const LASTCALL = /(^|\/)(lastcall|lastcall\/dist\/main\.js)$/;
/** The file of lastcall, and also what many a TypeScript project is compiled to, as those of NestJS. */
const MAIN = /(^|\/)dist\/main\.js$/;

/** The commands of lastcall. The table of them is not imported, since it leads to this file. */
export const commandNames: ReadonlySet<string> = new Set([
  ...['run', 'status', 'doctor', 'history', 'log', 'metrics', 'inbox', 'config', 'unit', 'demo', 'sandbox'],
  ...['probe', 'completion', 'help', 'version'],
]);

const isRunAt = (argv: readonly string[], index: number): boolean =>
  (LASTCALL.test(argv[index] ?? '') || MAIN.test(argv[index] ?? '')) && argv[index + 1] === 'run';

/** Whether a command is `lastcall run`, by whichever path. */
export const isLastcallRun = (argv: readonly string[]): boolean =>
  argv.some((_word, index) => isRunAt(argv, index));

/** Whether a command is any of lastcall's. */
const isLastcallCommand = (argv: readonly string[]): boolean =>
  argv.some(
    (word, index) => LASTCALL.test(word) || (MAIN.test(word) && commandNames.has(argv[index + 1] ?? '')),
  );

/** The bot's file in the command `lastcall run FILE`; undefined where it names none. */
export function fileAfterRun(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((_word, index) => isRunAt(argv, index));
  const file = at < 0 ? undefined : argv[at + 2];
  return file === undefined || file.startsWith('-') ? undefined : file;
}

/** The command of a process, which under pm2 is in its environment: its command line names a script of pm2's. */
export function commandOf({ argv, env }: Pick<FoundProcess, 'argv' | 'env'>): readonly string[] {
  const script = env['pm_exec_path'];
  if (script === undefined || isLastcallRun(argv)) return argv;
  const args = argv.includes('run') ? argv.slice(argv.indexOf('run')) : (env['args'] ?? '').split(',');
  return [script, ...args];
}

/** Whether a process is lastcall's. */
export function isLastcall(found: FoundProcess): boolean {
  const script = found.env['pm_exec_path'] ?? '';
  return isLastcallRun(commandOf(found)) || LASTCALL.test(script) || isInPackage(script);
}

/** Whether a script is in the package lastcall. In pm2's fork mode no arguments are seen: the process title hides them. */
function isInPackage(script: string): boolean {
  if (!MAIN.test(script)) return false;
  const manifest = parseJson(readText(join(dirname(script), '..', 'package.json')) ?? '');
  return isObject(manifest) && manifest['name'] === 'lastcall';
}

/** The processes that this user may see, without this one and those that have started it. */
export function findProcesses(): readonly FoundProcess[] {
  const own = new Set(lineOf(process.pid, Number.POSITIVE_INFINITY, systemTable));
  return tryOr(() => readdirSync('/proc'), [])
    .filter((name) => /^\d+$/.test(name) && !own.has(Number(name)))
    .flatMap((name) => tryOr(() => [lookAt(Number(name))], []))
    .filter(({ argv }) => argv.length > 0);
}

function lookAt(pid: number): FoundProcess {
  const argv = listIn(`/proc/${pid}/cmdline`);
  const variables = tryOr(() => listIn(`/proc/${pid}/environ`), []);
  const env = environmentOf(variables);
  const cwd = tryOr(() => readlinkSync(`/proc/${pid}/cwd`), '');
  return { pid, ppid: systemTable.parentOf(pid) ?? 0, argv, env, cwd };
}

/** Parses variables. A process of pm2's cluster mode has those of pm2 in one of them, as JSON. */
export function environmentOf(variables: readonly string[]): Readonly<Record<string, string>> {
  const env = Object.fromEntries(
    variables.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
  const inside = parseJson(env['pm2_env'] ?? '');
  if (!isObject(inside)) return env;
  const plain = Object.entries(inside).filter(
    ([, value]) => typeof value !== 'object' || Array.isArray(value),
  );
  return { ...env, ...Object.fromEntries(plain.map(([name, value]) => [name, `${value}`])) };
}

const listIn = (path: string): readonly string[] =>
  readFileSync(path, 'utf8')
    .split('\0')
    .filter((word) => word !== '');

/** What bots are written in. Shells, editors and the like have the token in their environment, too, and poll nothing. */
const interpreters = /^(node|nodejs|bun|deno|python[\d.]*|php[\d.]*|ruby[\d.]*|java|dotnet)$/;

/**
 * Returns the processes that may poll with the token beside lastcall: what has it in its environment, or runs the bot's file by
 * itself. A token that a program reads from a file is not seen.
 */
export function mayPoll(
  processes: readonly FoundProcess[],
  { token, file }: { readonly token: string | undefined; readonly file: string | undefined },
): readonly FoundProcess[] {
  const ours = new Set(
    processes.filter((each) => isLastcall(each) || isLastcallCommand(each.argv)).map(({ pid }) => pid),
  );
  return processes.filter((each) => {
    const { pid, ppid, argv, env, cwd } = each;
    if (ours.has(pid) || ours.has(ppid) || !interpreters.test(basename(argv[0] ?? ''))) return false;
    if (argv.some((word) => /\/(pm2|npm-cli\.js|npx-cli\.js)(\/|$)/.test(word))) return false;
    const hasToken = token !== undefined && Object.values(env).includes(token);
    const runsFile =
      file !== undefined && cwd !== '' && argv.slice(1).some((word) => resolve(cwd, word) === file);
    return hasToken || runsFile;
  });
}

/** The process as people look for it. A token is masked before the text is cut, since a part of one is not known as such. */
export const processInWords = ({ pid, argv }: FoundProcess): string => {
  const command = maskTokens(argv.join(' '));
  return `process ${pid} (${command.length > 60 ? `${command.slice(0, 60)}…` : command})`;
};

/**
 * What has started a process, and keeps stop signals from it; undefined where nothing does. Under pm2 its own settings tell.
 *
 * @param isContained whether it is in a container, where a shell in front gets the signals
 */
export function wrapperOf(
  { ppid, env }: FoundProcess,
  isContained: boolean,
  table: ProcessTable = systemTable,
): { readonly name: string; readonly pid: number } | undefined {
  if (env['pm_id'] !== undefined) return undefined;
  const manager = packageManagerAbove(env, ppid, table);
  return manager ?? (isContained && isUnderShell(ppid, table) ? { name: 'a shell', pid: ppid } : undefined);
}
