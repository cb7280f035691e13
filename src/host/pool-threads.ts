/**
 * Asks the kernel what the threads of Node's pool are at. Node lists only some of what they do: not `fs.readFile` from Node 26
 * on, and nothing of native packages. Linux only, and where libuv names its threads: since Node 22.15.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'libuv-worker';

/** Returns whether a thread of the pool waits for a file or the network. One that computes comes to an end by itself. */
export function isPoolThreadBlocked(tasks = '/proc/self/task'): boolean {
  try {
    return readdirSync(tasks).some((thread) => {
      const read = (file: string) => readFileSync(join(tasks, thread, file), 'utf8').trim();
      return read('comm') === NAME && isBlockedIn(read('wchan'));
    });
  } catch {
    // Another system, or a thread that has just ended.
    return false;
  }
}

/** Whether a thread waits in a function of the kernel that is not the one in which idle threads wait; `0` stands for none. */
const isBlockedIn = (place: string): boolean => place !== '' && place !== '0' && !place.startsWith('futex');
