/**
 * Group commit: what was written becomes durable either at once, or a few milliseconds later together with what is
 * written until then. Each commit has a latest end, so that a disk that hangs is noticed.
 */
import type { Clock } from '../../clock.js';

export interface GroupCommitOptions {
  /** Makes everything durable that was written before the call. */
  commit(): Promise<void>;
  /** Called when a commit has rejected: from then on nothing can be made durable. */
  failed(error: unknown): void;
  /** Called with how long each commit took that has succeeded, the wait for the one before included. Must not throw. */
  timed?(durationMs: number): void;
  readonly clock: Clock;
}

/** How long a commit that can wait is put off, so that others join it. */
const DELAY_MS = 5;

/** The longest time that a commit takes unless the disk hangs. */
const MAX_COMMIT_MS = 60_000;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #cancelTimer: (() => void) | undefined;
  #underWay = 0;
  #latestEnd = Number.POSITIVE_INFINITY;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** When the commits under way end at the latest, in the clock's milliseconds; Infinity if there are none. */
  get latestEnd(): number {
    return this.#latestEnd;
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  /** Commits within a few milliseconds. */
  soon(): void {
    this.#cancelTimer ??= this.#options.clock.after(DELAY_MS, () => void this.now());
  }

  /** Commits at once, including what was to be committed soon. Resolves when the commit has ended; never rejects. */
  async now(): Promise<void> {
    this.cancel();
    const { commit, failed, timed, clock } = this.#options;
    const begunAt = clock.now();
    this.#underWay++;
    this.#latestEnd = Math.min(this.#latestEnd, begunAt + MAX_COMMIT_MS);
    try {
      await commit();
      timed?.(clock.now() - begunAt);
    } catch (error) {
      failed(error);
    } finally {
      this.#underWay--;
      this.#latestEnd = this.#underWay === 0 ? Number.POSITIVE_INFINITY : clock.now() + MAX_COMMIT_MS;
    }
  }

  /** Cancels the commit that was to happen soon. */
  cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
