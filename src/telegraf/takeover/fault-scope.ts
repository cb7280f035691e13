/** Knows whether code follows from an error that nobody caught and that the program's own listeners were told of. */
import { AsyncLocalStorage } from 'node:async_hooks';

/** The arguments of Node's event `uncaughtException`; an unhandled rejection may also be delivered as one. */
export interface Fault {
  readonly error: unknown;
  readonly origin: 'uncaughtException' | 'unhandledRejection';
}

export class FaultScope {
  /** Made at the first fault, because it costs time from then on (before Node 24). */
  #faults: AsyncLocalStorage<Fault | undefined> | undefined;
  /** The faults that the program has chosen to survive. */
  readonly #survived = new WeakSet<Fault>();

  /** Delivers the fault. All that its listeners do, also later, follows from it. */
  run<T>(fault: Fault, deliver: () => T): T {
    this.#faults ??= new AsyncLocalStorage();
    return this.#faults.run(fault, deliver);
  }

  /** Does work that is not the program's, and that does not follow from a fault. */
  outside<T>(work: () => T): T {
    return this.#faults ? this.#faults.run(undefined, work) : work();
  }

  /** The fault that the current call follows from, if it follows from one that the program has not survived. */
  get fault(): Fault | undefined {
    const fault = this.#faults?.getStore();
    return fault && !this.#survived.has(fault) ? fault : undefined;
  }

  /** Notes that the program goes on after the fault that the current call follows from. */
  survive(): void {
    const fault = this.#faults?.getStore();
    if (fault) this.#survived.add(fault);
  }
}

/** Returns the fault that a listener for one of Node's events is told of by these arguments. */
export function faultOf(event: unknown, [error, origin]: readonly unknown[]): Fault {
  const isRejection = event === 'unhandledRejection' || origin === 'unhandledRejection';
  return { error, origin: isRejection ? 'unhandledRejection' : 'uncaughtException' };
}

const faultEvents: ReadonlySet<unknown> = new Set([
  'uncaughtException',
  'uncaughtExceptionMonitor',
  'unhandledRejection',
]);

/** Whether Node tells of faults by the event. */
export const isFaultEvent = (event: unknown): boolean => faultEvents.has(event);
