/** Tables of processes that do not exist. */
import type { ProcessTable } from '../../src/host/process-table.js';

/** Of processes that are each the parent of the next, the first with pid 1. */
export function tableOf(...commands: string[]): ProcessTable {
  return {
    commandOf: (pid) => commands[pid - 1],
    parentOf: (pid) => (pid > 1 ? pid - 1 : undefined),
  };
}
