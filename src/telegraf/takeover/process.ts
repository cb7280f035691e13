/**
 * Changes `process` for the bot program: its listeners for stop signals are held back until the stop has come to the
 * program, and `process.exit` during the stop ends the program's part of it, not the process. In a handler it requests the
 * stop.
 */
import { constants } from 'node:os';
import { exitRequest, isExitRequest } from './exit-request.js';
import { type Fault, FaultScope, faultOf, isFaultEvent } from './fault-scope.js';
import { HandlerExits } from './handler-exits.js';
import { Patches } from './patches.js';
import { type EventName, ProgramListeners, type StopCall, type StopListener } from './program-listeners.js';
import { replaceMethod } from './replace-method.js';

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

/** Takes `process` over from construction until `restore`. */
export class ProcessTakeover {
  readonly handlerExits = new HandlerExits();
  /** Resolves with the exit code when the program calls `process.exit` while it is being stopped. */
  readonly exitRequested: Promise<number>;
  readonly #options: ProcessOptions;
  readonly #patches = new Patches();
  readonly #listeners: ProgramListeners;
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
    this.exitRequested = new Promise((resolve) => {
      this.#requestExit = (exitCode) => {
        this.#requestedExitCode ??= exitCode;
        resolve(exitCode);
      };
    });
    this.#listeners = new ProgramListeners(this.#patches);
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

  /** The program's listeners for the request; see {@link ProgramListeners.forStop}. */
  stopListeners(call: StopCall | undefined): StopListener[] {
    return this.#listeners.forStop(call);
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

  #holdEmit(): void {
    replaceMethod(this.#patches, 'emit', ([event, ...args], pass) => {
      if (event === 'beforeExit')
        return this.#options.beforeExit(this.#listeners.of(event).length > 0 ? pass : undefined);
      if (isFaultEvent(event)) return this.#emitFault(`${event}`, faultOf(event, args), pass);
      // Node does not deliver signals by this method. A signal that the program emits goes to lastcall's listeners.
      if (event === 'message' && args[0] === 'shutdown' && this.#listeners.emitToOwn('message', args))
        return true;
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
    const isTold = this.#listeners.of(event).length > 0;
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
    return events.some((name) => this.#listeners.of(name).length > 0);
  }

  #uncaughtOf(error: unknown): (() => void) | undefined {
    return typeof error === 'object' && error !== null ? this.#expected.get(error) : undefined;
  }

  #holdExit(): void {
    const { stopping, exiting, exitedByHandler, exitedByFault, isStoppingBot } = this.#options;
    const handlers = this.handlerExits;
    const exit = process.exit.bind(process);
    replaceMethod(this.#patches, 'exit', ([code], pass) => {
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
    replaceMethod(this.#patches, 'kill', ([pid, signal = 'SIGTERM'], pass) => {
      const name = signalName(signal);
      if (!stopping.aborted || pid !== process.pid || !this.#listeners.isHeld(name)) return pass();
      if (!handlers.isInHandler) this.#requestExit(0);
      return true;
    });
  }
}

function asExitCode(code: unknown): number {
  const exitCode = Number(code ?? 0);
  return Number.isInteger(exitCode) ? exitCode : 1;
}

function signalName(signal: unknown): unknown {
  if (typeof signal === 'string') return signal;
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
}
