/** The error that `process.exit` throws in handlers and during the stop, where it ends the program's code, not the process. */
import { tryOr } from '../../thrown.js';

class ExitRequest extends Error {
  override readonly name = 'ExitRequest';

  constructor(exitCode: number) {
    super(`process.exit(${exitCode}) ends the code that calls it; lastcall ends the process`);
    // No stack, since programs print what they catch, and it should not look like a crash.
    this.stack = `${this.name}: ${this.message}`;
  }
}

export function exitRequest(exitCode: number): Error {
  return new ExitRequest(exitCode);
}

/** Whether an error comes from such a `process.exit`, so that nothing has gone wrong. */
export function isExitRequest(error: unknown): boolean {
  return tryOr(() => error instanceof ExitRequest, false);
}
