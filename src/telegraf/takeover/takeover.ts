/**
 * Runs an existing bot program, unchanged, inside lastcall: whatever copy of Telegraf it brings, launching a bot
 * hands the polling to the host, and the program's own stop code runs when the stop has come to the program.
 * No other part of lastcall changes the process it runs in; `restore` takes all changes back.
 */
import { syncBuiltinESMExports } from 'node:module';
import type { Telegraf } from 'telegraf';
import { backgroundClock, type Clock } from '../../clock.js';
import type { LastcallError } from '../../errors.js';
import { redirectBot, redirectCalls } from './api-root.js';
import { watchCopies } from './copies.js';
import { EventLoop, type Keeper } from './event-loop.js';
import { type Launch, Launches } from './launches.js';
import { ResourceWatch } from './open-resources.js';
import { Patches } from './patches.js';
import { ProcessTakeover, type StopCall } from './process.js';
import { type StopContext, stopProgram } from './program-stop.js';
import { ProgramTimers } from './program-timers.js';

export type { StopCall } from './process.js';

/** The callbacks of whoever runs the program. None may throw. */
export interface TakeoverHost {
  /** Aborts when the stop begins. From then on `process.exit` ends only the program's part of the stop. */
  readonly stopping: AbortSignal;
  /** Keeps the process alive, and nothing else of the host does: it is released while the program's part of the stop lasts. */
  readonly keepAlive: Keeper;
  /** Called once for each bot that is launched, at any time before the stop. */
  launched(launch: Launch): void;
  /** Called when the program calls `bot.stop()` on a bot that it has launched, unless the stop has begun. */
  stopRequested(bot: Telegraf, reason: string | undefined): void;
  /** Called with WEBHOOK_LAUNCH when the program wants a webhook. The run should end. */
  refused(error: LastcallError): void;
  /** Called when the program calls `process.exit` before any stop, outside handlers. The process ends when it returns. */
  exiting(exitCode: number): void;
  /**
   * Called when the program calls `process.exit` in its part of the stop: with HOOK_FAILED if a listener has failed or the
   * exit code is not 0. The process ends with the exit code that this returns; with undefined, it lives on.
   */
  exitingInStop(error: LastcallError | undefined): number | undefined;
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
  /** Its timers must not keep the process alive. */
  readonly clock?: Clock;
}

export interface Takeover {
  /** Resolves when the first bot is launched. */
  readonly launched: Promise<void>;
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
export function takeOver(host: TakeoverHost, options: TakeoverOptions = {}): Takeover {
  const { apiRoot, graceMs = DEFAULT_GRACE_MS, clock = backgroundClock } = options;
  const eventLoop = new EventLoop(host.keepAlive);
  const taken = new ProcessTakeover({
    stopping: host.stopping,
    exiting: (exitCode) => host.exiting(exitCode),
    exitedByHandler: (exitCode) => host.exitedByHandler(exitCode),
    beforeExit: (emit) => eventLoop.beforeExit(emit),
  });
  const patches = new Patches();
  const resources = new ResourceWatch(new ProgramTimers(patches));
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

  return {
    launched,
    adopt: (bot) => launches.adopt(bot),
    runStopListeners(call, context) {
      resources.begin();
      return stopProgram(
        {
          listeners: taken.stopListeners(call),
          settleLaunches: (resolving) => launches.settle(resolving),
          process: taken,
          untilEmpty: (signal) => eventLoop.untilEmpty(signal),
          look: (withinMs) => resources.look(withinMs),
          graceMs,
          clock,
          leftOpen: (kinds) => host.leftOpen(kinds),
          exiting: (error) => host.exitingInStop(error),
        },
        context,
      );
    },
    restore() {
      stopWatching();
      patches.undo();
      syncBuiltinESMExports();
      taken.restore();
    },
  };
}
