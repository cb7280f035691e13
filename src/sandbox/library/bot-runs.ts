/** The bots that run in a sandbox. */
import { systemClock, within } from '../../clock.js';
import type { Sandbox as Server } from '../sandbox.js';
import { BotRun, type RunnableBot } from './bot-run.js';
import type { SandboxError } from './sandbox-error.js';

export class BotRuns {
  readonly #server: Server;
  readonly #onEnd: () => void;
  #runs: readonly BotRun[] = [];

  /** Calls `onEnd` whenever a bot has ended. */
  constructor(server: Server, onEnd: () => void) {
    this.#server = server;
    this.#onEnd = onEnd;
  }

  /** Starts a bot. What ended an earlier one, as somebody was told, is over with this. */
  start(bot: RunnableBot): BotRun {
    const run = new BotRun(bot, this.#onEnd);
    this.#runs = [...this.#runs.filter(({ wasTold }) => !wasTold), run];
    return run;
  }

  /** What has ended a bot, which counts as told. */
  tellFailure(): SandboxError | undefined {
    return this.#runs.find(({ failure }) => failure)?.tellFailure();
  }

  /** Like `tellFailure`, but undefined if somebody was told before. */
  tellNewFailure(): SandboxError | undefined {
    return this.#runs.find(({ failure, wasTold }) => failure && !wasTold)?.tellFailure();
  }

  /** Stops bots, by default all. Resolves with whether they have ended in time. */
  async stop(limitMs: number, runs = this.#runs): Promise<boolean> {
    const { getUpdates } = this.#server.account;
    // As Telegram does, the server lets the last poll of a bot that stops wait for up to 3 s, which proves nothing here.
    const endPoll = () => {
      if (getUpdates.waiting) getUpdates.wake();
    };
    const stopListening = this.#server.onStep(endPoll);
    const stopped = Promise.all([...runs.map((run) => run.stop()), ...runs.map(({ ended }) => ended)]);
    endPoll();
    const isInTime = await within(limitMs, systemClock, stopped);
    stopListening();
    return isInTime;
  }

  /** Resolves with whether all bots have ended in time. */
  haveEnded(limitMs: number): Promise<boolean> {
    return within(limitMs, systemClock, Promise.all(this.#runs.map(({ ended }) => ended)));
  }
}
