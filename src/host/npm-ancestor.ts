/** npm as the process that has started this one: `npx lastcall` and `npm start` do not pass SIGTERM on. */
import { readFileSync } from 'node:fs';

type Environment = Readonly<Record<string, string | undefined>>;

/** Looks at processes: the title or command line of one, and its parent. Undefined where there is no such process. */
export interface ProcessTable {
  commandOf(pid: number): string | undefined;
  parentOf(pid: number): number | undefined;
}

/** npm runs commands in a shell, which may or may not stay between the two. */
const GENERATIONS = 2;
const npmCommand = /^(?:\S*\/)?(?:npm|npx)\b|\/np[mx]-cli\.js\b/;

/** Returns the pid of the npm or npx that runs this process, or undefined if there is none. */
export function npmAncestor(
  env: Environment,
  parent: number,
  table: ProcessTable = systemTable,
): number | undefined {
  if (env['npm_execpath'] === undefined && env['npm_command'] === undefined) return undefined;
  let pid: number | undefined = parent;
  for (let generation = 0; generation < GENERATIONS && pid; generation++) {
    if (npmCommand.test(table.commandOf(pid) ?? '')) return pid;
    pid = table.parentOf(pid);
  }
  return undefined;
}

const systemTable: ProcessTable = {
  commandOf: (pid) => read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' '),
  // The name of the process, in parentheses, may have any characters.
  parentOf: (pid) => Number(read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')[1]) || undefined,
};

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
