/** The processes of the system, as far as /proc shows them. */
import { readFileSync } from 'node:fs';

/** Looks at processes: the command line of one, and its parent. Undefined where there is no such process. */
export interface ProcessTable {
  commandOf(pid: number): string | undefined;
  parentOf(pid: number): number | undefined;
}

export const systemProcesses: ProcessTable = {
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
