/** The pauses of handlers whose calls Telegram has asked to wait. A pause for which there is no time is not begun, or given up. */
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';

/** How much of its time a handler keeps for what comes after the pause. */
const KEPT_MS = 1_000;

interface Pause {
  readonly endsAt: number;
  readonly ending: AbortController;
}

export class Pauses {
  readonly #clock: Clock;
  readonly #pauses = new Set<Pause>();
  #latestEnd = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves with true after `ms`; with false, as soon as that is known, where the pause would not end 1 s before
   * `latestEnd` (in the clock's milliseconds) and the end of the drain. Rejects with the signal's reason when that aborts.
   */
  async pause(ms: number, latestEnd: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    const pause = { endsAt: this.#clock.now() + ms, ending: new AbortController() };
    if (isTooLong(pause, Math.min(latestEnd, this.#latestEnd))) return false;
    this.#pauses.add(pause);
    const stopListening = onAbort(signal, () => pause.ending.abort());
    try {
      await this.#clock.sleep(ms, pause.ending.signal);
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    } finally {
      stopListening();
      this.#pauses.delete(pause);
    }
  }

  /** Gives up the pauses, present and future, for which a drain with this latest end has no time. */
  endBy(latestEnd: number): void {
    this.#latestEnd = latestEnd;
    for (const pause of this.#pauses) if (isTooLong(pause, latestEnd)) pause.ending.abort();
  }
}

const isTooLong = ({ endsAt }: Pause, latestEnd: number): boolean => endsAt + KEPT_MS > latestEnd;
