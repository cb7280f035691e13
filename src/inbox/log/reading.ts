/**
 * Reading in steps. What reads many files is a generator: it asks for the content of one file after the other, and does
 * not know how they are read. A command reads them one after the other; a process that has other work reads them in turns
 * with it, because some gigabytes take longer than signals and watchdogs may wait.
 */
import { onAbort } from '../../abort.js';
import type { Disk } from './disk.js';

/** Yields the path of each file that it needs, and is given its content. */
export type Reading<T> = Generator<string, T, Buffer>;

/** Reads while the whole process waits. Throws what the disk throws. */
export function readNow<T>(disk: Disk, reading: Reading<T>): T {
  let step = reading.next();
  while (!step.done) step = reading.next(disk.read(step.value));
  return step.value;
}

export interface TurnOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each file. */
  progress?(): void;
}

/**
 * Reads while the process does other work. Rejects with what the disk throws, and at once with the signal's reason when
 * that aborts, also where the disk hangs.
 */
export async function readInTurns<T>(
  disk: Disk,
  reading: Reading<T>,
  { signal, progress }: TurnOptions = {},
): Promise<T> {
  let step = reading.next();
  while (!step.done) {
    const content = await unlessAborted(disk.load(step.value), signal);
    progress?.();
    step = reading.next(content);
  }
  return step.value;
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason));
    work.then(resolve, reject).finally(stopListening);
  });
}
