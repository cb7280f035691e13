/** Errors that nobody caught: each is reported, and none ends the process before it has stopped in order. */

type FaultOrigin = 'uncaughtException' | 'unhandledRejection';

export interface FaultListener {
  /**
   * @param ownedByProgram the bot program listens for this kind of fault itself, and decides what becomes of it
   */
  fault(error: unknown, origin: FaultOrigin, ownedByProgram: boolean): void;
}

/** The part of `process` that tells of faults. */
export interface FaultSource {
  on(event: FaultOrigin, listener: (error: unknown) => void): unknown;
  off(event: FaultOrigin, listener: (error: unknown) => void): unknown;
  listenerCount(event: FaultOrigin): number;
}

const origins: readonly FaultOrigin[] = ['uncaughtException', 'unhandledRejection'];

/** Listens for faults of this process; returns a function that stops listening. */
export function listenForFaults(source: FaultSource, listener: FaultListener): () => void {
  const undo = origins.map((origin) => {
    const onFault = (error: unknown) => listener.fault(error, origin, source.listenerCount(origin) > 1);
    source.on(origin, onFault);
    return () => source.off(origin, onFault);
  });
  return () => {
    for (const off of undo) off();
  };
}
