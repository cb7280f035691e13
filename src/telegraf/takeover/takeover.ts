/**
 * Runs an existing bot program, unchanged, inside lastcall: whatever copy of Telegraf it brings, launching a bot
 * hands the polling to the host, and what the program does when it is told to stop happens when its turn has come.
 * The one part of lastcall that changes the process it runs in; `restore` takes all of it back.
 */
import type { Telegraf } from 'telegraf';
import { type Clock, systemClock } from '../../clock.js';
import type { LastcallError } from '../../errors.js';
import { redirectBot, redirectCalls } from './api-root.js';
import { watchCopies } from './copies.js';
import { type Launch, Launches } from './launches.js';
import { openResources } from './open-resources.js';
import { Patches } from './patches.js';
import { ProcessTakeover, type StopCall } from './process.js';
import { type StopContext, stopProgram } from './program-stop.js';

export type { StopCall } from './process.js';

/** Whoever runs the program. Nothing here may throw. */
export interface TakeoverHost {
  /** Aborts when the stop begins; from then on `process.exit` only ends the program's part of it. */
  readonly stopping: AbortSignal;
  /** A bot wants to be polled; called once a bot, at any time before the stop. */
  launched(launch: Launch): void;
  /** The program has called `bot.stop()` on a bot that it had launched. Not called once the stop has begun. */
  stopRequested(bot: Telegraf, reason: string | undefined): void;
  /** The program wants a webhook: a WEBHOOK_LAUNCH, which should end the run. */
  refused(error: LastcallError): void;
  /** The program has called `process.exit` before any stop: the process ends when this returns. */
  exiting(exitCode: number): void;
  /** The program's turn in the stop is over, but it still has resources of these kinds open, by Node's names. */
  leftOpen(kinds: readonly string[]): void;
}

export interface TakeoverOptions {
  /** Where bots go that were built with Telegraf's default API root. */
  readonly apiRoot?: string;
  /** How long the program may take, at the stop, to finish what none of its listeners returned a promise for. */
  readonly graceMs?: number;
  readonly clock?: Clock;
}

export interface Takeover {
  /** Resolves when the first bot is launched. */
  readonly launched: Promise<void>;
  /** Reports a bot that a module exports as `launched`, unless it has been already. */
  adopt(bot: Telegraf): void;
  /**
   * The program's turn in the stop; once all polling and all handlers have ended. Calls the program's listeners
   * for what asked for the stop (else those for SIGTERM, else for SIGINT) as Node would, settles what `launch()` has
   * returned, and waits for what the listeners return, then until the program has nothing open (at most `graceMs`);
   * `process.exit` ends the wait.
   *
   * Rejects with HOOK_FAILED if a listener fails or the program asks for an exit code other than 0, with the
   * signal's reason when that aborts first.
   */
  runStopListeners(call: StopCall | undefined, context: StopContext): Promise<void>;
  /** Gives the process and Telegraf back as they were. Promises of `launch()` that have not settled never will. */
  restore(): void;
}

const DEFAULT_GRACE_MS = 1_000;

/**
 * Takes over until `restore`. What listens on `process` when this is called counts as lastcall's own: install signal,
 * message and fault handlers before.
 */
export function takeOver(host: TakeoverHost, options: TakeoverOptions = {}): Takeover {
  const { apiRoot, graceMs = DEFAULT_GRACE_MS, clock = systemClock } = options;
  const taken = new ProcessTakeover(host);
  const patches = new Patches();
  let firstLaunch = () => {};
  const launched = new Promise<void>((resolve) => {
    firstLaunch = resolve;
  });
  const launches = new Launches({
    stopping: host.stopping,
    launched(launch) {
      if (apiRoot !== undefined) redirectBot(launch.bot, apiRoot);
      host.launched(launch);
      firstLaunch();
    },
    stopRequested: (bot, reason) => host.stopRequested(bot, reason),
    refused: (error) => host.refused(error),
    rejecting: (error) => taken.expect(error),
  });
  const stopWatching = watchCopies((telegrafClass) => {
    launches.takeOver(telegrafClass, patches);
    if (apiRoot !== undefined) redirectCalls(telegrafClass, apiRoot, patches);
  });
  const openBefore = openResources();

  return {
    launched,
    adopt: (bot) => launches.adopt(bot),
    runStopListeners: (call, context) =>
      stopProgram(
        {
          listeners: taken.stopListeners(call),
          settleLaunches: () => launches.settle(),
          process: taken,
          openBefore,
          openResources,
          graceMs,
          clock,
          leftOpen: (kinds) => host.leftOpen(kinds),
        },
        context,
      ),
    restore() {
      stopWatching();
      patches.undo();
      taken.restore();
    },
  };
}
