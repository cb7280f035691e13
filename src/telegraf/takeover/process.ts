/**
 * Changes `process` for the bot program: its listeners for stop signals are held back until the stop has come to the
 * program, and `process.exit` during the stop ends the program's part of it, not the process. In a handler it requests the
 * stop.
 */
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { exitRequest, isExitRequest } from './exit-request.js';
import { type Fault, FaultScope, faultOf } from './fault-scope.js';
import { HandlerExits } from './handler-exits.js';
import { Patches } from './patches.js';

/** The request for a stop: a signal, or the message that pm2 sends in place of one. */
export type StopCall = NodeJS.Signals | 'shutdown';

/** Calls a listener of the program as Node would have called it. */
export type StopListener = () => unknown;

export interface ProcessOptions {
  /** Aborts when the stop begins. */
  readonly stopping: AbortSignal;
  /** Called when the program calls `process.exit` before the stop, outside handlers. The process ends when it returns. */
  exiting(exitCode: number): void;
  /**
   * Called when `process.exit` is called and the process is to end in order: by a handler, whose run ends with that, also
   * during the stop; or while a bot stops alone.
   */
  exitedByHandler(exitCode: number): void;
  /** Called when a listener for faults calls `process.exit`, at once or later; also during the stop. */
  exitedByFault(fault: Fault): void;
  /** Whether a bot that the program has stopped has not ended yet, while the run goes on. */
  isStoppingBot(): boolean;
  /** Called when Node emits `beforeExit`; `emit` calls the program's listeners, if there are any. */
  beforeExit(emit: (() => unknown) | undefined): unknown;
}

/** The signals that programs take as a request to stop. */
const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

const faultEvents: ReadonlySet<unknown> = new Set([
  'uncaughtException',
  'uncaughtExceptionMonitor',
  'unhandledRejection',
]);

const listenerMethods = [
  'on',
  'addListener',
  'once',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
  'listeners',
  'rawListeners',
  'listenerCount',
] as const;

type EventName = string | symbol;
type Method = (...args: unknown[]) => unknown;
type Listener = (...args: unknown[]) => void;

/** `process` as an emitter of any event, which its type does not allow. */
const emitter = (): EventEmitter => process;
const rawListeners = (event: EventName): Listener[] => emitter().rawListeners(event) as Listener[];

/**
 * Takes `process` over from construction until `restore`. Listeners that are there before are lastcall's own:
 * `removeAllListeners` spares them, and the program does not see those for stop signals and for faults: error trackers
 * end the process only if nobody else listens. A stop signal that lastcall does not listen for is left to the program.
 */
export class ProcessTakeover {
  readonly handlerExits = new HandlerExits();
  /** Resolves with the exit code when the program calls `process.exit` while it is being stopped. */
  readonly exitRequested: Promise<number>;
  readonly #options: ProcessOptions;
  readonly #patches = new Patches();
  readonly #held = new EventEmitter().setMaxListeners(0);
  readonly #heldSignals: ReadonlySet<unknown>;
  readonly #own: ReadonlyMap<EventName, ReadonlySet<unknown>>;
  readonly #exitCodeBefore = process.exitCode;
  readonly #expected = new WeakMap<object, () => void>();
  readonly #faultScope = new FaultScope();
  #requestExit: (exitCode: number) => void = () => {};
  #requestedExitCode: number | undefined;
  #end: () => number | undefined = () => undefined;
  /** The exit code with which the process is ending. */
  #endsWith: number | undefined;
  #isExiting = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.#own = new Map(
      emitter()
        .eventNames()
        .map((name) => [name, new Set(rawListeners(name))]),
    );
    this.#heldSignals = new Set(stopSignals.filter((signal) => this.#own.has(signal)));
    this.exitRequested = new Promise((resolve) => {
      this.#requestExit = (exitCode) => {
        this.#requestedExitCode ??= exitCode;
        resolve(exitCode);
      };
    });
    this.#holdListeners();
    this.#holdEmit();
    this.#holdExit();
  }

  /** The exit code of the first `process.exit` during the stop; later ones do not count. */
  get requestedExitCode(): number | undefined {
    return this.#requestedExitCode;
  }

  /** The value that the program has set `process.exitCode` to; undefined if it has not. */
  get exitCodeSet(): number | undefined {
    return process.exitCode === this.#exitCodeBefore ? undefined : asExitCode(process.exitCode);
  }

  /**
   * The program's listeners for the request; if there are none, or there is no request, those for SIGTERM, else those
   * for SIGINT. A `once` listener is removed when it is called.
   */
  stopListeners(call: StopCall | undefined): StopListener[] {
    if (call === 'shutdown') {
      const listeners = this.#programListeners('message');
      if (listeners.length > 0)
        return listeners.map((listener) => () => Reflect.apply(listener, process, ['shutdown', undefined]));
    }
    const signal = [call, 'SIGTERM', 'SIGINT'].find((name) => name && this.#held.listenerCount(name) > 0);
    if (!isSignal(signal)) return [];
    return this.#held
      .rawListeners(signal)
      .map((listener) => () => Reflect.apply(listener, process, [signal, constants.signals[signal]]));
  }

  /**
   * Keeps an error that the program was given from counting as a fault if the program does not catch it: `uncaught` is
   * called instead, unless the program listens for such errors itself.
   */
  expect(error: unknown, uncaught: () => void): void {
    if (typeof error === 'object' && error !== null) this.#expected.set(error, uncaught);
  }

  /** Notes that a bot is launched, perhaps by a handler that has stopped one, or by a listener for faults. */
  launched(): void {
    this.handlerExits.launched();
    this.#faultScope.survive();
  }

  /** Does work that neither a handler nor a fault is the cause of, and so all that follows from it. */
  outside<T>(work: () => T): T {
    return this.handlerExits.outside(() => this.#faultScope.outside(work));
  }

  /**
   * Has `process.exit` end the process from now on, with the exit code that the function returns. Where it returns none,
   * `process.exit` throws, as before the call: it must not return.
   */
  endBy(end: () => number | undefined): void {
    this.#end = end;
  }

  restore(): void {
    this.#patches.undo();
  }

  #isOwn(event: EventName, listener: unknown): boolean {
    return this.#own.get(event)?.has(listener) ?? false;
  }

  /** The program's listeners for an event that is not held back. */
  #programListeners(event: EventName): Listener[] {
    return rawListeners(event).filter((listener) => !this.#isOwn(event, listener));
  }

  /** Replaces a method; `pass` calls the original one. */
  #replace(method: keyof NodeJS.Process, takeover: (args: unknown[], pass: () => unknown) => unknown): void {
    const original = process[method] as Method;
    const patches = this.#patches;
    patches.replace(process, method, function (this: unknown, ...args: unknown[]) {
      const pass = () => Reflect.apply(original, this, args);
      return patches.active ? takeover(args, pass) : pass();
    });
  }

  #holdListeners(): void {
    for (const name of listenerMethods) {
      const method = this.#held[name] as Method;
      this.#replace(name, (args, pass) => {
        if (faultEvents.has(args[0])) return this.#hideOwn(name, args, pass);
        if (!this.#heldSignals.has(args[0])) return pass();
        const result = Reflect.apply(method, this.#held, args);
        return result === this.#held ? process : result;
      });
    }
    this.#replace('eventNames', (_, pass) => {
      const names = (pass() as EventName[]).filter(
        (name) =>
          !this.#heldSignals.has(name) &&
          !(faultEvents.has(name) && this.#programListeners(name).length === 0),
      );
      return [...names, ...this.#held.eventNames()];
    });
    this.#replace('removeAllListeners', ([event]) => {
      for (const name of event === undefined ? process.eventNames() : [event])
        this.#removeAll(name as EventName);
      return process;
    });
  }

  /** Calls a method as if lastcall did not listen for the event. */
  #hideOwn(method: (typeof listenerMethods)[number], args: unknown[], pass: () => unknown): unknown {
    const [event, listener] = args as [EventName, unknown];
    if (method === 'listenerCount' && listener === undefined) return this.#programListeners(event).length;
    const result = pass();
    const isListing = method === 'listeners' || method === 'rawListeners';
    return isListing ? (result as Listener[]).filter((each) => !this.#isOwn(event, each)) : result;
  }

  #removeAll(event: EventName): void {
    if (this.#heldSignals.has(event)) {
      this.#held.removeAllListeners(event);
      return;
    }
    for (const listener of this.#programListeners(event)) emitter().removeListener(event, listener);
  }

  #holdEmit(): void {
    this.#replace('emit', ([event, ...args], pass) => {
      if (event === 'beforeExit')
        return this.#options.beforeExit(this.#programListeners(event).length > 0 ? pass : undefined);
      if (faultEvents.has(event)) return this.#emitFault(`${event}`, faultOf(event, args), pass);
      // Node does not deliver signals by this method. A signal that the program emits goes to lastcall's listeners.
      if (event === 'message' && args[0] === 'shutdown' && this.#own.has('message'))
        return this.#emitToOwn('message', args);
      return pass();
    });
  }

  #emitFault(event: EventName, fault: Fault, pass: () => unknown): unknown {
    if (isExitRequest(fault.error)) return true;
    const uncaught = this.#uncaughtOf(fault.error);
    if (uncaught && (this.#options.stopping.aborted || !this.#isHeardByProgram(event))) {
      uncaught();
      return true;
    }
    // Without listeners of the program, it is lastcall that acts on the fault.
    const isTold = this.#programListeners(event).length > 0;
    const deliver = isTold ? () => this.#faultScope.run(fault, pass) : pass;
    try {
      // What a listener does is not the wish of the handler whose error it is given.
      return this.handlerExits.outside(deliver);
    } catch (thrown) {
      // A listener of the program has called process.exit; letting that through would end the process with code 7.
      if (isExitRequest(thrown)) return true;
      throw thrown;
    }
  }

  /** Whether the program listens for a fault. Where nobody listens for rejections, Node makes them exceptions. */
  #isHeardByProgram(event: EventName): boolean {
    const events = event === 'unhandledRejection' ? [event, 'uncaughtException'] : [event];
    return events.some((name) => this.#programListeners(name).length > 0);
  }

  #uncaughtOf(error: unknown): (() => void) | undefined {
    return typeof error === 'object' && error !== null ? this.#expected.get(error) : undefined;
  }

  #emitToOwn(event: EventName, args: unknown[]): boolean {
    for (const listener of rawListeners(event))
      if (this.#isOwn(event, listener)) Reflect.apply(listener, process, args);
    return true;
  }

  #holdExit(): void {
    const { stopping, exiting, exitedByHandler, exitedByFault, isStoppingBot } = this.#options;
    const handlers = this.handlerExits;
    const exit = process.exit.bind(process);
    this.#replace('exit', ([code], pass) => {
      // A listener for the event `exit` may call it once more.
      if (this.#endsWith !== undefined) return exit(this.#endsWith);
      if (this.#isExiting) {
        pass();
        return;
      }
      const exitCode = asExitCode(code ?? process.exitCode);
      const byHandler = handlers.exit(stopping.aborted);
      if (byHandler === 'first') handlers.outside(() => exitedByHandler(exitCode));
      if (byHandler) throw exitRequest(exitCode);
      const { fault } = this.#faultScope;
      const isStopping = stopping.aborted;
      // A program that has stopped its bot and exits right behind that wants the handlers to end.
      if (!fault && !isStopping && isStoppingBot()) {
        exitedByHandler(exitCode);
        throw exitRequest(exitCode);
      }
      if (fault) this.#faultScope.outside(() => exitedByFault(fault));
      if (isStopping) {
        this.#requestExit(exitCode);
        this.#endsWith = this.#end();
        if (this.#endsWith !== undefined) return exit(this.#endsWith);
      }
      // The drain is still under way: other people's handlers are at work, and the caller must not go on.
      if (fault || isStopping) throw exitRequest(exitCode);
      this.#isExiting = true;
      try {
        exiting(exitCode);
      } finally {
        pass();
      }
    });
    // A listener that ends its process by the signal it has just handled asks for the exit, too.
    this.#replace('kill', ([pid, signal = 'SIGTERM'], pass) => {
      const name = signalName(signal);
      if (!stopping.aborted || pid !== process.pid || !this.#heldSignals.has(name)) return pass();
      if (!handlers.isInHandler) this.#requestExit(0);
      return true;
    });
  }
}

function asExitCode(code: unknown): number {
  const exitCode = Number(code ?? 0);
  return Number.isInteger(exitCode) ? exitCode : 1;
}

function isSignal(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && name in constants.signals;
}

function signalName(signal: unknown): unknown {
  if (typeof signal === 'string') return signal;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
}
