/**
 * Ends a run, in whichever way it ends: tells how in the bots' folders, for those who look there, releases the locks, and
 * writes the receipt.
 */
import type { Bots } from './bots.js';
import type { LastcallError } from './errors.js';
import type { BotLocks } from './host/bot-locks.js';
import { endWithoutPool } from './host/process-end.js';
import type { RunRecorder } from './host/run-recorder.js';
import type { Lifecycle } from './lifecycle/lifecycle.js';
import type { Outcome } from './lifecycle/outcome.js';
import { StopReason } from './lifecycle/stop-reason.js';
import { guarded } from './listener.js';
import type { RunLogging } from './logging/logger.js';
import { logReceipt, receiptRecord, verdictOf } from './logging/receipt.js';
import type { HistoryRecorder } from './observe/history/recorder.js';
import type { Status } from './observe/status/status.js';

export interface RunEndOptions {
  readonly lifecycle: Pick<Lifecycle, 'state' | 'signal' | 'partialOutcome' | 'finishNow'>;
  readonly bots: Pick<Bots, 'gauges' | 'failures'>;
  readonly locks: Pick<BotLocks, 'release'>;
  readonly recorder: Pick<RunRecorder, 'end' | 'endByChild'>;
  readonly history: Pick<HistoryRecorder, 'end'>;
  readonly status: Pick<Status, 'close'>;
  readonly logging: RunLogging;
}

export class RunEnd {
  readonly #options: RunEndOptions;
  readonly #endHistory: (outcome: Outcome) => void;
  readonly #closeStatus: () => void;
  #isStalled = false;

  constructor(options: RunEndOptions) {
    const { history, status } = options;
    this.#options = options;
    this.#endHistory = guarded((outcome) => history.end(outcome, verdictOf(outcome)));
    this.#closeStatus = guarded(() => status.close());
  }

  /** Whether a step hangs, maybe at the disk, so that nothing may wait for a file. */
  get isStalled(): boolean {
    return this.#isStalled;
  }

  stalled(): void {
    this.#isStalled = true;
  }

  /** Call it when the stop has ended. Releases the locks. */
  async finish(outcome: Outcome): Promise<void> {
    // Before the lock is released, behind which another process may wait to begin its own record.
    if (this.#isStalled) await this.#options.recorder.endByChild(outcome.exitCode);
    this.#finish(outcome);
  }

  /** The process exits right after this call, though the stop has not ended. */
  forced(exitCode: number): void {
    const { state, signal } = this.#options.lifecycle;
    if (state !== 'stopped') this.#endAbruptly(signal.reason, exitCode);
  }

  /** The program has called `process.exit` before the stop. */
  exitedByProgram(exitCode: number): void {
    this.#endAbruptly(StopReason.request(`process.exit(${exitCode})`), exitCode);
  }

  /**
   * Ends the process, because the program has called `process.exit` in its part of the stop, which is the last one. Returns
   * the exit code; undefined, and does nothing, while log lines wait for their reader.
   *
   * @param error what the program reports by it, if that is a failure
   */
  exitedInStop(error: LastcallError | undefined): number | undefined {
    const { lifecycle, logging } = this.#options;
    if (!logging.isWritten) return undefined;
    const outcome = lifecycle.finishNow(error);
    this.#finish(outcome);
    endWithoutPool(process, outcome.exitCode);
    return outcome.exitCode;
  }

  #finish(outcome: Outcome): void {
    this.#record(outcome);
    this.#options.locks.release();
    this.#writeReceipt(outcome);
  }

  #endAbruptly(reason: StopReason, exitCode: number): void {
    const outcome = { reason, clean: false, exitCode, ...this.#options.lifecycle.partialOutcome() };
    this.#record(outcome);
    this.#writeReceipt(outcome);
  }

  /** Writes to the bots' folders, with the receipt if nobody can read that in the log, and removes the status sockets. */
  #record(outcome: Outcome): void {
    if (this.#isStalled) return;
    const { recorder, bots, logging } = this.#options;
    const receipt = () => receiptRecord(outcome, bots.gauges.counts, bots.failures, logging.redact);
    recorder.end(outcome.exitCode, logging.isBroken ? receipt() : undefined);
    this.#endHistory(outcome);
    this.#closeStatus();
  }

  #writeReceipt(outcome: Outcome): void {
    const { bots, logging } = this.#options;
    logReceipt(logging.receiptLog, outcome, bots.gauges.counts, bots.failures);
  }
}
