/** How much of the machine there was for a measure: what is left of it while other programs are at work. */
import { cpus } from 'node:os';

/** What all processes of the machine have used, and what they could have, in milliseconds. */
function usage() {
  const times = cpus().map(({ times: { idle, ...busy } }) => ({
    idle,
    busy: Object.values(busy).reduce((sum, ms) => sum + ms, 0),
  }));
  const sum = (pick) => times.reduce((total, each) => total + pick(each), 0);
  return { busy: sum(({ busy }) => busy), all: sum(({ busy, idle }) => busy + idle) };
}

/**
 * Begins to look. What it returns tells which share of the machine's time was not taken by others meanwhile, given what
 * those that are measured have used, in milliseconds.
 */
export function watchMachine() {
  const before = usage();
  return (usedMs) => {
    const after = usage();
    const others = Math.max(0, after.busy - before.busy - usedMs);
    return 1 - others / (after.all - before.all);
  };
}
