/**
 * Runs an existing bot program, unchanged, inside lastcall: whatever copy of Telegraf it brings, launching a bot
 * hands the polling to the host, and the program's own stop code runs when the stop has come to the program.
 * No other part of lastcall changes the process it runs in; `restore` takes all changes back.
 */
import { syncBuiltinESMExports } from 'node:module';
import type { Telegraf } from 'telegraf';
import { backgroundClock, type Clock } from '../../clock.js';
import type { LastcallError } from '../../errors.js';
import { type TelegrafClass, telegrafClassOf } from '../internals.js';
import type { Launch } from '../launch.js';
import { redirectBot, redirectCalls } from './api-root.js';
import { watchCopies } from './copies.js';
import { EventLoop, type Keeper } from './event-loop.js';
import type { Fault } from './fault-scope.js';
import { ForeignBots } from './foreign-bots.js';
import { Launches } from './launches.js';
import { openResources } from './open-kinds.js';
import { ResourceWatch } from './open-resources.js';
import { Patches } from './patches.js';
import { answerPolls, PollCalls } from './poll-calls.js';
import { ProcessTakeover } from './process.js';
import type { StopCall } from './program-listeners.js';
import { programAtRest } from './program-rest.js';
import { type StopContext, stopProgram } from './program-stop.js';
import { ProgramTimers } from './program-timers.js';
import { ProgramWatch } from './program-watch.js';
import { mendUploads } from './uploads.js';

export type { StopCall } from './program-listeners.js';

/** The callbacks of whoever runs the program. None may throw. */
export interface TakeoverHost {
  /** Aborts when the stop begins. From then on `process.exit` ends only the program's part of the stop. */
  readonly stopping: AbortSignal;
  /** Keeps the process alive, and nothing else of the host does: it is released where the program's own work is watched. */
  readonly keepAlive: Keeper;
  /** Called for each launch of a bot, at any time before the stop. */
  launched(launch: Launch): void;
  /** Called once for a launch whose bot the program stops by `bot.stop()`, unless the stop has begun. */
  stopRequested(launch: Launch, reason: string | undefined): void;
  /** Called when the program does not catch the error of a launch that has ended while the run goes on. */
  uncaught(error: unknown): void;
  /**
   * Called with WEBHOOK_LAUNCH when the program wants a webhook, with FOREIGN_BOT when it polls without Telegraf 4, with
   * BOT_ELSEWHERE when it does so in a worker thread or child process. The run should end.
   */
  refused(error: LastcallError): void;
  /** Called when the program calls `process.exit` before any stop, outside handlers. The process ends when it returns. */
  exiting(exitCode: number): void;
  /**
   * Called when the program calls `process.exit` in its part of the stop: with HOOK_FAILED if a listener has failed or the
   * exit code is not 0. The process ends with the exit code that this returns; with undefined, it lives on.
   */
  exitingInStop(error: LastcallError | undefined): number | undefined;
  /**
   * Called when a handler calls `process.exit`, whose run has ended, or when the program calls it while a bot that it has
   * stopped has not ended. The run should end with that exit code.
   */
  exitedByHandler(exitCode: number): void;
  /** Called when a listener of the program for faults calls `process.exit`, at once or later. The run should end with it. */
  exitedByFault(fault: Fault): void;
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
  readonly hasLaunched: boolean;
  /** Begins to watch what the program has under way. One watch at a time. */
  watch(): ProgramWatch;
  /** Launches a bot that a module only exports, unless the module has launched it. One of Telegraf 3 is refused. */
  adopt(bot: Telegraf): void;
  /**
   * Runs the program's part of the stop. To be called when all polling and all handlers have ended. Calls the program's
   * listeners for `call` (else those for SIGTERM, else for SIGINT) as Node would, settles the promises of `launch()`,
   * and waits for the promises of the listeners, then until the program has nothing open (at most `graceMs`);
   * `process.exit` ends the wait.
   *
   * Does nothing where the program has been refused for its bot: its code would wait for calls that are not made.
   *
   * Rejects with HOOK_FAILED if a listener fails or the program asks for an exit code other than 0, with the
   * signal's reason when that aborts first.
   */
  runStopListeners(call: StopCall | undefined, context: StopContext): Promise<void>;
  /**
   * Resolves when the program has nothing open any more, so that its process would end without a bot. Rejects with the
   * signal's reason when that aborts.
   *
   * @param stillOpen called once, if that takes long, with the kinds of resources that are open (Node's names)
   */
  atRest(signal: AbortSignal, stillOpen: (kinds: readonly string[]) => void): Promise<void>;
  /** Gives the process and Telegraf back as they were. Promises of `launch()` that have not settled never will. */
  restore(): void;
}

const DEFAULT_GRACE_MS = 1_000;

/**
 * Takes the process and every copy of Telegraf over until `restore`. Listeners that are on `process` already count as
 * lastcall's own, so install the handlers of signals, messages and faults before.
 */
export function takeOver(host: TakeoverHost, options: TakeoverOptions = {}): Takeover {
  const { keepAlive } = host;
  const { apiRoot, graceMs = DEFAULT_GRACE_MS, clock = backgroundClock } = options;
  const eventLoop = new EventLoop(keepAlive);
  const taken = new ProcessTakeover({
    stopping: host.stopping,
    exiting: (exitCode) => host.exiting(exitCode),
    exitedByHandler: (exitCode) => host.exitedByHandler(exitCode),
    exitedByFault: (fault) => host.exitedByFault(fault),
    isStoppingBot: () => launches.isStopping,
    beforeExit: (emit) => eventLoop.beforeExit(emit),
  });
  const patches = new Patches();
  const openBefore = openResources();
  const resources = new ResourceWatch(new ProgramTimers(patches));
  let hasLaunched = false;
  let firstLaunch = () => {};
  const launched = new Promise<void>((resolve) => {
    firstLaunch = resolve;
  });
  const launches = new Launches({
    stopping: host.stopping,
    handlerScope: taken.handlerExits,
    pollCalls: new PollCalls(clock),
    launched(launch) {
      foreignBots.launched();
      if (apiRoot !== undefined) redirectBot(launch.bot, apiRoot);
      taken.launched();
      // A handler may launch a bot, and stop one, but what follows from that is not its doing.
      taken.outside(() => host.launched(launch));
      hasLaunched = true;
      firstLaunch();
    },
    stopRequested(launch, reason) {
      taken.handlerExits.stopped();
      taken.outside(() => host.stopRequested(launch, reason));
    },
    refused: (error) => host.refused(error),
    rejecting: (error) =>
      taken.expect(error, () => {
        if (!host.stopping.aborted) host.uncaught(error);
      }),
  });
  const foreignBots = new ForeignBots({ clock, refused: (error) => host.refused(error) });
  const copies = watchCopies({
    found(telegrafClass) {
      foreignBots.mayLaunch();
      launches.takeOver(telegrafClass, patches);
      answerPolls(telegrafClass, patches);
      mendUploads();
      if (apiRoot !== undefined) redirectCalls(telegrafClass, apiRoot, patches);
    },
    foundVersion3: (telegraf3Class, version) => foreignBots.refuseVersion3(telegraf3Class, version),
  });

  return {
    launched,
    get hasLaunched() {
      return hasLaunched;
    },
    watch: () => new ProgramWatch({ eventLoop, clock }),
    adopt(bot) {
      if (foreignBots.refuses(bot)) return;
      copies.add(telegrafClassOf(bot) as TelegrafClass);
      launches.adopt(bot);
    },
    runStopListeners: async (call, context) => {
      if (foreignBots.hasRefused) return;
      resources.begin();
      await stopProgram(
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
    atRest: (signal, stillOpen) => programAtRest({ clock, eventLoop, openBefore, stillOpen }, signal),
    restore() {
      copies.stop();
      foreignBots.restore();
      patches.undo();
      syncBuiltinESMExports();
      taken.restore();
    },
  };
}
