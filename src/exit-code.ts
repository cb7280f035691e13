/** The codes the process exits with. The unit file and ecosystem.config.js are wired to them. */
export const ExitCode = {
  /** Stopped cleanly; every update settled or safe. */
  clean: 0,
  /** Stopped, but something was cut: a hook failed or was cut off, handlers were aborted. */
  cut: 1,
  /** A fault: uncaught exception, unhandled rejection, internal error, disk fault (sysexits' EX_SOFTWARE). */
  fault: 70,
  /** Another poller kept the token (EX_TEMPFAIL). */
  conflict: 75,
  /** Configuration; a restart will not help (EX_CONFIG). */
  configuration: 78,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What a shell reports for a process that signal number `n` ended; used when a third signal forces the exit. */
export const forcedExitCode = (signalNumber: number): number => 128 + signalNumber;
