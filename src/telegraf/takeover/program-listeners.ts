/**
 * Keeps the listeners of a bot program on `process` apart from lastcall's. Those for stop signals are held back until the
 * stop has come to the program. The program does not see lastcall's own: error trackers end the process only if nobody else
 * listens for faults. A stop signal that lastcall does not listen for is left to the program.
 */
import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { isFaultEvent } from './fault-scope.js';
import type { Patches } from './patches.js';
import { type Method, replaceMethod } from './replace-method.js';

/** The request for a stop: a signal, or the message that pm2 sends in place of one. */
export type StopCall = NodeJS.Signals | 'shutdown';

/** Calls a listener of the program as Node would have called it. */
export type StopListener = () => unknown;

export type EventName = string | symbol;
type Listener = (...args: unknown[]) => void;

/** The signals that programs take as a request to stop. */
const stopSignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

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

/** `process` as an emitter of any event, which its type does not allow. */
const emitter = (): EventEmitter => process;
const rawListeners = (event: EventName): Listener[] => emitter().rawListeners(event) as Listener[];

/** Listeners that are there at the construction are lastcall's own; `removeAllListeners` spares them. */
export class ProgramListeners {
  readonly #held = new EventEmitter().setMaxListeners(0);
  readonly #heldSignals: ReadonlySet<unknown>;
  readonly #own: ReadonlyMap<EventName, ReadonlySet<unknown>>;

  constructor(patches: Patches) {
    this.#own = new Map(
      emitter()
        .eventNames()
        .map((name) => [name, new Set(rawListeners(name))]),
    );
    this.#heldSignals = new Set(stopSignals.filter((signal) => this.#own.has(signal)));
    this.#replaceMethods(patches);
  }

  /** Whether listeners for a signal are held back. */
  isHeld(signal: unknown): boolean {
    return this.#heldSignals.has(signal);
  }

  /** The program's listeners for an event that is not held back. */
  of(event: EventName): Listener[] {
    return rawListeners(event).filter((listener) => !this.#isOwn(event, listener));
  }

  /**
   * The program's listeners for the request; if there are none, or there is no request, those for SIGTERM, else those
   * for SIGINT. A `once` listener is removed when it is called.
   */
  forStop(call: StopCall | undefined): StopListener[] {
    if (call === 'shutdown') {
      const listeners = this.of('message');
      if (listeners.length > 0)
        return listeners.map((listener) => () => Reflect.apply(listener, process, ['shutdown', undefined]));
    }
    const signal = [call, 'SIGTERM', 'SIGINT'].find((name) => name && this.#held.listenerCount(name) > 0);
    if (!isSignal(signal)) return [];
    return this.#held
      .rawListeners(signal)
      .map((listener) => () => Reflect.apply(listener, process, [signal, constants.signals[signal]]));
  }

  /** Calls lastcall's own listeners for an event. Returns false, and calls none, where lastcall does not listen for it. */
  emitToOwn(event: EventName, args: unknown[]): boolean {
    if (!this.#own.has(event)) return false;
    for (const listener of rawListeners(event))
      if (this.#isOwn(event, listener)) Reflect.apply(listener, process, args);
    return true;
  }

  #isOwn(event: EventName, listener: unknown): boolean {
    return this.#own.get(event)?.has(listener) ?? false;
  }

  #replaceMethods(patches: Patches): void {
    for (const name of listenerMethods) {
      const method = this.#held[name] as Method;
      replaceMethod(patches, name, (args, pass) => {
        if (isFaultEvent(args[0])) return this.#hideOwn(name, args, pass);
        if (!this.#heldSignals.has(args[0])) return pass();
        const result = Reflect.apply(method, this.#held, args);
        return result === this.#held ? process : result;
      });
    }
    replaceMethod(patches, 'eventNames', (_, pass) => {
      const names = (pass() as EventName[]).filter(
        (name) => !this.#heldSignals.has(name) && !(isFaultEvent(name) && this.of(name).length === 0),
      );
      return [...names, ...this.#held.eventNames()];
    });
    replaceMethod(patches, 'removeAllListeners', ([event]) => {
      for (const name of event === undefined ? process.eventNames() : [event])
        this.#removeAll(name as EventName);
      return process;
    });
  }

  /** Calls a method as if lastcall did not listen for the event. */
  #hideOwn(method: (typeof listenerMethods)[number], args: unknown[], pass: () => unknown): unknown {
    const [event, listener] = args as [EventName, unknown];
    if (method === 'listenerCount' && listener === undefined) return this.of(event).length;
    const result = pass();
    const isListing = method === 'listeners' || method === 'rawListeners';
    return isListing ? (result as Listener[]).filter((each) => !this.#isOwn(event, each)) : result;
  }

  #removeAll(event: EventName): void {
    if (this.#heldSignals.has(event)) {
      this.#held.removeAllListeners(event);
      return;
    }
    for (const listener of this.of(event)) emitter().removeListener(event, listener);
  }
}

function isSignal(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && name in constants.signals;
}
