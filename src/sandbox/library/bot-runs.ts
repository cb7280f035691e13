/** The bots that run in a sandbox, one after the other. */
import { systemClock, within } from '../../clock.js';
import type { Sandbox as Server } from '../sandbox.js';
import { BotRun, type RunnableBot } from './bot-run.js';

export class BotRuns {
  readonly #server: Server;
  readonly #onEnd: () => void;
  #runs: readonly BotRun[] = [];

  /** Calls `onEnd` whenever a bot has ended. */
  constructor(server: Server, onEnd: () => void) {
    this.#server = server;
    this.#onEnd = onEnd;
  }

  start(bot: RunnableBot): BotRun {
    const run = new BotRun(bot, this.#onEnd);
    this.#runs = [...this.#runs, run];
    return run;
  }

  /** The newest bot, if it has failed: what has become of those before it does not concern whoever waits for this one. */
  get failed(): BotRun | undefined {
    const newest = this.#runs.at(-1);
    return newest && failureOf(newest);
  }

  /** A bot that has failed, of which nobody was told. */
  get failedUntold(): BotRun | undefined {
    return this.#runs.find(({ hasFailed, isTold }) => hasFailed && !isTold);
  }

  /** Whether a fault has ended the last poll, so that a bot may make a pause before it polls again, or looks whether it is to. */
  get lastPollHasFailed(): boolean {
    const last = this.#server.calls({ method: 'getUpdates' }).at(-1);
    if (!last) return false;
    return last.fault !== undefined || (!last.answered && !this.#server.account.getUpdates.waiting);
  }

  /** Stops bots, by default all. Resolves with those that still run when the time is over. */
  async stop(limitMs: number, runs = this.#runs): Promise<readonly BotRun[]> {
    const { getUpdates } = this.#server.account;
    // As Telegram does, the server lets the last poll of a bot that stops wait for up to 3 s, which proves nothing here.
    const endPoll = () => {
      if (getUpdates.waiting) getUpdates.wake();
    };
    const stopListening = this.#server.onStep(endPoll);
    const stopped = runs.map((run) => this.#stop(run));
    endPoll();
    const isInTime = await Promise.all(stopped.map((each) => within(limitMs, systemClock, each)));
    stopListening();
    return runs.filter((_, index) => !isInTime[index]);
  }

  /**
   * Asks a bot to stop, and again with each of its polls: one that is being launched may not have had anything to stop
   * before. Resolves when it has ended.
   */
  async #stop(run: BotRun): Promise<void> {
    const countPolls = () => this.#server.callCount('getUpdates');
    let polls = countPolls();
    const stopListening = this.#server.onStep(() => {
      if (countPolls() === polls) return;
      polls = countPolls();
      void run.stop();
    });
    await Promise.all([run.stop(), run.ended]);
    stopListening();
  }
}

/** Returns a run that has failed. */
export const failureOf = (run: BotRun): BotRun | undefined => (run.hasFailed ? run : undefined);

/** Returns those of the bots that have not ended within a time. */
export async function stillRunning(limitMs: number, runs: readonly BotRun[]): Promise<readonly BotRun[]> {
  const haveEnded = await Promise.all(runs.map(({ ended }) => within(limitMs, systemClock, ended)));
  return runs.filter((_, index) => !haveEnded[index]);
}
