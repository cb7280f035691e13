/** Why a stop began: the `reason` of the signal that everyone watches, and the first word on the exit code. */
import { inspect } from 'node:util';
import { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';

/**
 * - `signal`: the operating system sent one (`signal` names it)
 * - `request`: code asked for it (`by` names what was called)
 * - `message`: the supervisor sent its shutdown message
 * - `supervisor-gone`: the channel to the supervisor closed
 * - `stop-after`: the time the run was given is over
 * - `aborted`: the signal handed to `run()` aborted (`cause` is its reason)
 * - `start-failed`: a hook failed to start, or not in time (`cause` says which and why)
 * - `fatal`: the run cannot go on, for a cause lastcall knows (`cause` is the LastcallError)
 * - `fault`: an uncaught exception, an unhandled rejection or an internal error (`cause`)
 */
export type StopKind =
  | 'signal'
  | 'request'
  | 'message'
  | 'supervisor-gone'
  | 'stop-after'
  | 'aborted'
  | 'start-failed'
  | 'fatal'
  | 'fault';

interface Particulars {
  readonly exitCode?: number;
  readonly cause?: unknown;
  readonly signal?: NodeJS.Signals;
  readonly by?: string;
}

/** `message` says in words for the log why the run stops; `kind` says it for code. */
export class StopReason extends Error {
  override readonly name = 'StopReason';
  readonly kind: StopKind;
  /** What the reason itself asks the process to exit with; 0 asks for nothing. */
  readonly exitCode: number;
  /** The operating system's signal, if `kind` is `signal`. */
  readonly signal: NodeJS.Signals | undefined;
  /** What was called, if `kind` is `request`: `bot.stop`, `lifecycle.stop`, … */
  readonly by: string | undefined;

  private constructor(kind: StopKind, message: string, particulars: Particulars = {}) {
    super(message, 'cause' in particulars ? { cause: particulars.cause } : undefined);
    this.kind = kind;
    this.exitCode = particulars.exitCode ?? ExitCode.clean;
    this.signal = particulars.signal;
    this.by = particulars.by;
  }

  static signal(signal: NodeJS.Signals): StopReason {
    return new StopReason('signal', signal, { signal });
  }

  static request(by: string): StopReason {
    return new StopReason('request', `${by} was called`, { by });
  }

  static message(text: string): StopReason {
    return new StopReason('message', `the supervisor sent the message "${text}"`);
  }

  static supervisorGone(): StopReason {
    return new StopReason('supervisor-gone', 'the supervisor is gone');
  }

  static stopAfter(stopAfterMs: number): StopReason {
    return new StopReason('stop-after', `it has run for the ${stopAfterMs} ms it was given`);
  }

  static aborted(cause: unknown): StopReason {
    return new StopReason('aborted', `the signal given to run() aborted: ${inWords(cause)}`, { cause });
  }

  static startFailed(cause: unknown): StopReason {
    const exitCode = cause instanceof LastcallError ? cause.exitCode : ExitCode.cut;
    return new StopReason('start-failed', inWords(cause), { cause, exitCode });
  }

  static fatal(cause: LastcallError): StopReason {
    return new StopReason('fatal', cause.message, { cause, exitCode: cause.exitCode });
  }

  /**
   * @param what what kind of fault it is, in words: `uncaught exception`, `unhandled rejection`, …; left out, an error
   *   of lastcall's own speaks for itself, and any other is called internal
   */
  static fault(cause: unknown, what?: string): StopReason {
    const isNamed = what === undefined && cause instanceof LastcallError;
    const message = isNamed ? cause.message : `${what ?? 'internal error'}: ${inWords(cause)}`;
    return new StopReason('fault', message, { cause, exitCode: ExitCode.fault });
  }
}

/** What was thrown, in one line; anything can be. */
export function inWords(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : inspect(thrown, { depth: 0, breakLength: Infinity });
}
