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
  on(event: FaultOrigin, listener: (error: unknown, origin: FaultOrigin) => void): unknown;
  off(event: FaultOrigin, listener: (error: unknown, origin: FaultOrigin) => void): unknown;
  emit(event: 'uncaughtException', error: unknown, origin: FaultOrigin): unknown;
  listenerCount(event: FaultOrigin): number;
}

/** Listens for faults of this process; returns a function that stops listening. */
export function listenForFaults(source: FaultSource, listener: FaultListener): () => void {
  const ownedByProgram = (event: FaultOrigin) => source.listenerCount(event) > 1;
  const onException = (error: unknown, origin: FaultOrigin) =>
    listener.fault(error, origin, ownedByProgram('uncaughtException'));
  const onRejection = (error: unknown) => {
    // As Node does it where nobody listens for rejections: to the program they are exceptions then.
    if (!ownedByProgram('unhandledRejection') && ownedByProgram('uncaughtException'))
      source.emit('uncaughtException', error, 'unhandledRejection');
    else listener.fault(error, 'unhandledRejection', ownedByProgram('unhandledRejection'));
  };
  source.on('uncaughtException', onException);
  source.on('unhandledRejection', onRejection);
  return () => {
    source.off('uncaughtException', onException);
    source.off('unhandledRejection', onRejection);
  };
}
