/** The right to poll, of which Telegram gives one for each bot. */

export interface PollingTurn {
  /** Aborts when the turn is over. */
  readonly signal: AbortSignal;
  /** Whether another process has polled until now. */
  readonly hasWaited: boolean;
  /** Aborts the signal if the turn is over by now. */
  check(): void;
  /** Lets another process poll. Never rejects. */
  end(): Promise<void>;
}

/** The turn of a process that shares its bot with no other: it lasts until the process ends it. */
export function soleTurn(): PollingTurn {
  return { signal: new AbortController().signal, hasWaited: false, check() {}, async end() {} };
}
