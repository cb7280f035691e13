/** What `process.exit` throws instead of ending the process, once the program is being stopped anyway. */
import { tryOr } from '../../thrown.js';

class ExitRequest extends Error {
  override readonly name = 'ExitRequest';

  constructor(exitCode: number) {
    super(`process.exit(${exitCode}) ends the program's part of the stop; lastcall ends the process`);
    // Programs print what they catch. This is no crash, and should not look like one.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function exitRequest(exitCode: number): Error {
  return new ExitRequest(exitCode);
}

/** Whether an error only unwinds code that has called `process.exit`: nothing has gone wrong, it can be ignored. */
export function isExitRequest(error: unknown): boolean {
  return tryOr(() => error instanceof ExitRequest, false);
}
