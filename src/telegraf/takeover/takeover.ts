/**
 * Runs an existing bot program, unchanged, inside lastcall: whatever copy of Telegraf it brings, launching a bot
 * hands the polling to the host, and the program's own stop code runs when the stop has come to the program.
 * No other part of lastcall changes the process it runs in; `restore` takes all changes back.
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
import { ProgramWatch, type ProgramWatchOptions } from './program-watch.js';

export type { StopCall } from './process.js';

/** The callbacks of whoever runs the program. None may throw. */
export interface TakeoverHost {
  /** Aborts when the stop begins. From then on `process.exit` ends only the program's part of the stop. */
  readonly stopping: AbortSignal;
  /** Called once for each bot that is launched, at any time before the stop. */
  launched(launch: Launch): void;
  /** Called when the program calls `bot.stop()` on a bot that it has launched, unless the stop has begun. */
  stopRequested(bot: Telegraf, reason: string | undefined): void;
  /** Called with WEBHOOK_LAUNCH when the program wants a webhook. The run should end. */
  refused(error: LastcallError): void;
  /** Called when the program calls `process.exit` before any stop, outside handlers. The process ends when it returns. */
  exiting(exitCode: number): void;
  /** Called when a handler calls `process.exit`. The run should end with that exit code; the handler's run has ended. */
  exitedByHandler(exitCode: number): void;
  /** Called when the program's part of the stop is over, but resources of these kinds (Node's names) are still open. */
  leftOpen(kinds: readonly string[]): void;
}

export interface TakeoverOptions {
  /** The API root for bots that were built with Telegraf's default one. */
  readonly apiRoot?: string;
  /** How long the program may take, at the stop, for work that none of its listeners returned a promise for. */
  readonly graceMs?: number;
  readonly clock?: Clock;
  /** What keeps the process alive for lastcall. */
  readonly keepAlive: ProgramWatchOptions['keepAlive'];
}

export interface Takeover {
  /** Resolves when the first bot is launched. */
  readonly launched: Promise<void>;
  readonly hasLaunched: boolean;
  /** Begins to watch what the program has under way. One watch at a time. */
  watch(): ProgramWatch;
  /** Launches a bot that a module only exports, unless the module has launched it. */
  adopt(bot: Telegraf): void;
  /**
   * Runs the program's part of the stop. To be called when all polling and all handlers have ended. Calls the program's
   * listeners for `call` (else those for SIGTERM, else for SIGINT) as Node would, settles the promises of `launch()`,
   * and waits for the promises of the listeners, then until the program has nothing open (at most `graceMs`);
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
 * Takes the process and every copy of Telegraf over until `restore`. Listeners that are on `process` already count as
 * lastcall's own, so install the handlers of signals, messages and faults before.
 */
export function takeOver(host: TakeoverHost, options: TakeoverOptions): Takeover {
  const { apiRoot, graceMs = DEFAULT_GRACE_MS, clock = systemClock, keepAlive } = options;
  const taken = new ProcessTakeover(host);
  const patches = new Patches();
  let hasLaunched = false;
  let firstLaunch = () => {};
  const launched = new Promise<void>((resolve) => {
    firstLaunch = resolve;
  });
  const launches = new Launches({
    stopping: host.stopping,
    handlerScope: taken.handlerExits,
    launched(launch) {
      if (apiRoot !== undefined) redirectBot(launch.bot, apiRoot);
      host.launched(launch);
      hasLaunched = true;
      firstLaunch();
    },
    stopRequested: (bot, reason) => taken.handlerExits.outside(() => host.stopRequested(bot, reason)),
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
    get hasLaunched() {
      return hasLaunched;
    },
    watch: () => new ProgramWatch({ keepAlive, clock }),
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
