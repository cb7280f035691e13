/** Finds processes of this host that run a bot: those of lastcall, and others that may poll with the same token. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { packageManagerAbove } from '../../host/package-manager.js';
import { lineOf, type ProcessTable, systemTable } from '../../host/process-table.js';
import { isUnderShell } from '../../host/shell.js';
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

const LASTCALL = /(^|\/)(lastcall|dist\/main\.js)$/;

/** Whether a command is `lastcall run`, by whichever path. */
export const isLastcallRun = (argv: readonly string[]): boolean =>
  argv.some((word, index) => LASTCALL.test(word) && argv[index + 1] === 'run');

/** The bot's file in the command `lastcall run FILE`; undefined where it names none. */
export function fileAfterRun(argv: readonly string[]): string | undefined {
  const file = argv[argv.lastIndexOf('run') + 1];
  return !argv.includes('run') || file === undefined || file.startsWith('-') ? undefined : file;
}

/** Whether a process is lastcall's; under pm2's cluster mode its command line does not tell. */
export const isLastcall = ({ argv, env }: FoundProcess): boolean =>
  isLastcallRun(argv) || LASTCALL.test(env['pm_exec_path'] ?? '');

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
  const env = Object.fromEntries(
    variables.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  );
  const cwd = tryOr(() => readlinkSync(`/proc/${pid}/cwd`), '');
  return { pid, ppid: systemTable.parentOf(pid) ?? 0, argv, env, cwd };
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
    processes
      .filter((each) => isLastcall(each) || each.argv.some((word) => LASTCALL.test(word)))
      .map(({ pid }) => pid),
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
