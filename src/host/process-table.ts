/** The processes of the machine, as far as those that have started this one are concerned. */
import { readText } from './read-text.js';

/** Looks at processes: the title or command line of one, and its parent. Undefined where there is no such process. */
export interface ProcessTable {
  commandOf(pid: number): string | undefined;
  parentOf(pid: number): number | undefined;
}

export const systemTable: ProcessTable = {
  commandOf: (pid) => readText(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' '),
  // The name of the process, in parentheses, may have any characters.
  parentOf: (pid) => Number(readText(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')[1]) || undefined,
};

/** Returns the pid of the process and those of its ancestors, the nearest first, at most `generations` of them. */
export function lineOf(pid: number, generations: number, table: ProcessTable): number[] {
  const pids: number[] = [];
  for (let next: number | undefined = pid; next && pids.length < generations; next = table.parentOf(next))
    pids.push(next);
  return pids;
}
