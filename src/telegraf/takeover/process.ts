/**
 * The process as a bot program finds it while lastcall runs it: its listeners for stop signals are held back until
 * the stop has come to them, and `process.exit` during the stop ends the program's part of it, not the process.
 */
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { exitRequest, isExitRequest } from './exit-request.js';
import { Patches } from './patches.js';

/** What asks for a stop: a signal, or the message that pm2 sends in place of one. */
export type StopCall = NodeJS.Signals | 'shutdown';

/** A listener of the program, ready to be called as Node would have called it. */
export type StopListener = () => unknown;

export interface ProcessOptions {
  /** Aborted: the stop has begun. */
  readonly stopping: AbortSignal;
  /** The program has called `process.exit` while nothing stops. The process ends as soon as this returns. */
  exiting(exitCode: number): void;
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

/** `process` as what its type makes it hard to use as: an emitter of any event. */
const emitter = (): EventEmitter => process;
const rawListeners = (event: EventName): Listener[] => emitter().rawListeners(event) as Listener[];

/**
 * Takes `process` over from its construction until `restore`. What listens on `process` by then is lastcall's own:
 * `removeAllListeners` spares it, and of its listeners for stop signals the program sees nothing. A stop signal that
 * lastcall does not listen for is left to the program.
 */
export class ProcessTakeover {
  /** Resolves with the exit code when the program calls `process.exit` while it is being stopped. */
  readonly exitRequested: Promise<number>;
  readonly #options: ProcessOptions;
  readonly #patches = new Patches();
  readonly #held = new EventEmitter().setMaxListeners(0);
  readonly #heldSignals: ReadonlySet<unknown>;
  readonly #own: ReadonlyMap<EventName, ReadonlySet<unknown>>;
  readonly #exitCodeBefore = process.exitCode;
  readonly #expected = new WeakSet<object>();
  #requestExit: (exitCode: number) => void = () => {};
  #requestedExitCode: number | undefined;

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

  /** The first `process.exit` of the stop; in a process that had ended there, none would have followed. */
  get requestedExitCode(): number | undefined {
    return this.#requestedExitCode;
  }

  /** What the program has set `process.exitCode` to; undefined if it has not. */
  get exitCodeSet(): number | undefined {
    return process.exitCode === this.#exitCodeBefore ? undefined : asExitCode(process.exitCode);
  }

  /**
   * The program's listeners for what asked for the stop; if there are none, or nothing did, those for SIGTERM, else
   * those for SIGINT. A `once` listener is used up when it is called.
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

  /** Keeps an error that the program was told of, and lets go uncaught, from counting as a fault. */
  expect(error: unknown): void {
    if (typeof error === 'object' && error !== null) this.#expected.add(error);
  }

  restore(): void {
    this.#patches.undo();
  }

  #isOwn(event: EventName, listener: unknown): boolean {
    return this.#own.get(event)?.has(listener) ?? false;
  }

  /** Of an event that is not held back. */
  #programListeners(event: EventName): Listener[] {
    return rawListeners(event).filter((listener) => !this.#isOwn(event, listener));
  }

  /** `takeover` is asked first; what it answers with `pass` goes the usual way. */
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
        if (!this.#heldSignals.has(args[0])) return pass();
        const result = Reflect.apply(method, this.#held, args);
        return result === this.#held ? process : result;
      });
    }
    this.#replace('eventNames', (_, pass) => {
      const names = (pass() as EventName[]).filter((name) => !this.#heldSignals.has(name));
      return [...names, ...this.#held.eventNames()];
    });
    this.#replace('removeAllListeners', ([event]) => {
      for (const name of event === undefined ? process.eventNames() : [event])
        this.#removeAll(name as EventName);
      return process;
    });
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
      if (faultEvents.has(event)) return this.#emitFault(args[0], pass);
      // Node itself does not come by here with signals. A program that emits one asks for a stop: lastcall hears it.
      if (event === 'message' && args[0] === 'shutdown' && this.#own.has('message'))
        return this.#emitToOwn('message', args);
      return pass();
    });
  }

  #emitFault(error: unknown, pass: () => unknown): unknown {
    if (this.#isExpected(error)) return true;
    try {
      return pass();
    } catch (thrown) {
      // The program's listener has called process.exit. Thrown on, this would end the process with code 7.
      if (isExitRequest(thrown)) return true;
      throw thrown;
    }
  }

  #isExpected(error: unknown): boolean {
    return isExitRequest(error) || (typeof error === 'object' && error !== null && this.#expected.has(error));
  }

  #emitToOwn(event: EventName, args: unknown[]): boolean {
    for (const listener of rawListeners(event))
      if (this.#isOwn(event, listener)) Reflect.apply(listener, process, args);
    return true;
  }

  #holdExit(): void {
    const { stopping, exiting } = this.#options;
    this.#replace('exit', ([code], pass) => {
      const exitCode = asExitCode(code ?? process.exitCode);
      if (stopping.aborted) {
        this.#requestExit(exitCode);
        throw exitRequest(exitCode);
      }
      try {
        exiting(exitCode);
      } finally {
        pass();
      }
    });
    // A listener that has cleaned up and then lets the signal end its own process.
    this.#replace('kill', ([pid, signal = 'SIGTERM'], pass) => {
      const name = signalName(signal);
      if (!stopping.aborted || pid !== process.pid || !this.#heldSignals.has(name)) return pass();
      this.#requestExit(0);
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
