/** Asks the system for a process by its id. */
import { codeOf } from '../system-error.js';

/** Returns whether there is a process with the id, which another may have taken over from one that has ended. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
