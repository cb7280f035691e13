/** The bot's own process, where the sandbox runs the bot beside it. */

export interface BotProcessState {
  /** How the process is started, for people. */
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
  /** Sends a signal to the process, if it runs. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
  /** Starts the process; where it runs, it is stopped first, with SIGTERM. */
  restart(): void;
  /** Calls the listener after each change of `state`. */
  onChange(listener: () => void): void;
}
