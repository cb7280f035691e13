/**
 * When what was written is made safe: at once, or a few milliseconds later together with what comes until then. And
 * until when that has to have happened, so that a disk that hangs is found out.
 */
import type { Clock } from '../../clock.js';

export interface GroupCommitOptions {
  /** Makes all safe that was written before the call. */
  commit(): Promise<void>;
  /** The commit has rejected: nothing can be made safe any more. */
  failed(error: unknown): void;
  readonly clock: Clock;
}

/** How long what can wait waits for company. */
const WAIT_MS = 5;

/** A disk that takes longer for a sync hangs. */
const SYNC_WITHIN_MS = 60_000;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #cancelTimer: (() => void) | undefined;
  #underWay = 0;
  #latestEnd = Number.POSITIVE_INFINITY;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** When the commit that is under way ends at the latest, in the clock's milliseconds; Infinity where there is none. */
  get latestEnd(): number {
    return this.#latestEnd;
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  soon(): void {
    this.#cancelTimer ??= this.#options.clock.after(WAIT_MS, () => void this.now());
  }

  /** What was to happen soon happens with this. Resolves once all is safe, or that has failed; never rejects. */
  async now(): Promise<void> {
    this.cancel();
    const { commit, failed, clock } = this.#options;
    this.#underWay++;
    this.#latestEnd = Math.min(this.#latestEnd, clock.now() + SYNC_WITHIN_MS);
    try {
      await commit();
    } catch (error) {
      failed(error);
    } finally {
      this.#underWay--;
      this.#latestEnd = this.#underWay === 0 ? Number.POSITIVE_INFINITY : clock.now() + SYNC_WITHIN_MS;
    }
  }

  /** Nothing happens soon any more. */
  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
