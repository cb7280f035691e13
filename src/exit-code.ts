/** The exit codes of the process. The unit files and ecosystem.config.js depend on them. */
export const ExitCode = {
  /** Stopped cleanly; every update settled or safe. */
  clean: 0,
  /** Stopped, but a hook failed or was cut off, or handlers or a program's own work were cut. */
  cut: 1,
  /** A fault: uncaught exception, unhandled rejection, internal error or disk fault (EX_SOFTWARE of sysexits). */
  fault: 70,
  /** Another process polls the bot (EX_TEMPFAIL). */
  conflict: 75,
  /** The configuration is wrong, so that a restart does not help (EX_CONFIG). */
  configuration: 78,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The code that shells report for a process killed by the signal; used when a third signal forces the exit. */
export const forcedExitCode = (signalNumber: number): number => 128 + signalNumber;
