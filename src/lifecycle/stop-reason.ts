/** Why a run stops: the `reason` of the lifecycle's signal, which may also set the exit code. */
import type { LastcallError } from '../errors.js';
import { ExitCode } from '../exit-code.js';
import { describeThrown, isLastcallError } from '../thrown.js';

/**
 * The kind of a stop reason:
 * - `signal`: the operating system sent a signal (`signal` names it)
 * - `request`: code requested the stop (`by` names what was called)
 * - `message`: the supervisor sent its shutdown message
 * - `supervisor-gone`: the channel to the supervisor closed
 * - `stop-after`: the run has reached its time limit
 * - `aborted`: the signal given to `run()` aborted (`cause` is its reason)
 * - `start-failed`: a hook failed to start, or did not start in time (`cause` names the hook)
 * - `fatal`: the run cannot go on for a known reason (`cause` is the LastcallError)
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

interface StopReasonDetails {
  readonly exitCode?: number;
  readonly cause?: unknown;
  readonly signal?: NodeJS.Signals;
  readonly by?: string;
}

/** Why the run stops: `kind` for code, `message` for people. */
export class StopReason extends Error {
  override readonly name = 'StopReason';
  readonly kind: StopKind;
  /** The exit code that the reason sets; 0 sets none. */
  readonly exitCode: number;
  /** The signal of the operating system, if `kind` is `signal`. */
  readonly signal: NodeJS.Signals | undefined;
  /** The function that was called, if `kind` is `request`: `bot.stop`, `lifecycle.stop`, … */
  readonly by: string | undefined;

  private constructor(kind: StopKind, message: string, details: StopReasonDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.kind = kind;
    this.exitCode = details.exitCode ?? ExitCode.clean;
    this.signal = details.signal;
    this.by = details.by;
  }

  static signal(signal: NodeJS.Signals): StopReason {
    return new StopReason('signal', signal, { signal });
  }

  static request(by: string, exitCode: number = ExitCode.clean): StopReason {
    return new StopReason('request', `${by} was called`, { by, exitCode });
  }

  static message(text: string): StopReason {
    return new StopReason('message', `the supervisor sent the message "${text}"`);
  }

  /** @param who what has supervised the process, or started it */
  static supervisorGone(who = 'the supervisor'): StopReason {
    return new StopReason('supervisor-gone', `${who} is gone`);
  }

  static stopAfter(stopAfterMs: number): StopReason {
    return new StopReason('stop-after', `the run has reached its limit of ${stopAfterMs} ms`);
  }

  static aborted(cause: unknown): StopReason {
    return new StopReason('aborted', `the signal given to run() aborted: ${describeThrown(cause)}`, {
      cause,
    });
  }

  static startFailed(cause: unknown): StopReason {
    const exitCode = isLastcallError(cause) ? cause.exitCode : ExitCode.cut;
    return new StopReason('start-failed', describeThrown(cause), { cause, exitCode });
  }

  /** The reason to stop for an error of lastcall's own: `fault` where its exit code says so, else `fatal`. */
  static failure(error: LastcallError): StopReason {
    return error.exitCode === ExitCode.fault ? StopReason.fault(error) : StopReason.fatal(error);
  }

  static fatal(cause: LastcallError): StopReason {
    return new StopReason('fatal', cause.message, { cause, exitCode: cause.exitCode });
  }

  /** @param what the kind of fault in words. Default: the message of a LastcallError, else `internal error: …`. */
  static fault(cause: unknown, what?: string): StopReason {
    const isNamed = what === undefined && isLastcallError(cause);
    const message = isNamed ? cause.message : `${what ?? 'internal error'}: ${describeThrown(cause)}`;
    return new StopReason('fault', message, { cause, exitCode: ExitCode.fault });
  }
}
