/** The bot's own process, where the sandbox runs the bot beside it. Types only, which the page imports, too. */

/** How much a line of the log matters, as far as it says so. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** A line that the bot has written, or that says what has become of its process. */
export interface LogLine {
  /** Counted from 1. */
  readonly number: number;
  /** When it was written, by the system's clock. */
  readonly atMs: number;
  readonly level?: LogLevel | undefined;
  /** `process`: said by who runs the process. */
  readonly source: 'stdout' | 'stderr' | 'process';
  /** May have several lines, such as the stack of an error. */
  readonly text: string;
}

export interface BotProcessState {
  /** How the process is started, for people: without tokens. */
  readonly command: string;
  readonly status: 'running' | 'stopping' | 'ended';
  readonly pid: number | undefined;
  /** When the newest process was started, by the system's clock. */
  readonly startedAtMs: number;
  /** How often a process was started. */
  readonly starts: number;
  /** How the newest process has ended. */
  readonly end?: {
    readonly atMs: number;
    readonly code: number | null;
    readonly signal: string | null;
  };
}

export interface BotProcess {
  readonly state: BotProcessState;
  /** The newest lines of the log, oldest first. */
  readonly log: readonly LogLine[];
  /** Sends a signal to the process, if it runs. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
  /** Starts the process; where it runs, it is stopped first, with SIGTERM. */
  restart(): void;
  /** Calls the listener after each change of `state`. */
  onChange(listener: () => void): void;
  /** Calls the listener with each further line of the log. */
  onLine(listener: (line: LogLine) => void): void;
}
