/** Listens for uncaught exceptions and unhandled rejections, so that the run can end in an orderly stop. */

type FaultOrigin = 'uncaughtException' | 'unhandledRejection';

export const faultInWords: Readonly<Record<FaultOrigin, string>> = {
  uncaughtException: 'uncaught exception',
  unhandledRejection: 'unhandled rejection',
};

/** `ownedByProgram` says whether the bot program also listens for this kind of fault, and so decides what happens. */
type FaultListener = (error: unknown, origin: FaultOrigin, ownedByProgram: boolean) => void;

/** The part of `process` that emits faults. */
export interface FaultSource {
  on(event: FaultOrigin, listener: (error: unknown, origin: FaultOrigin) => void): unknown;
  off(event: FaultOrigin, listener: (error: unknown, origin: FaultOrigin) => void): unknown;
  emit(event: 'uncaughtException', error: unknown, origin: FaultOrigin): unknown;
  listeners(event: FaultOrigin): readonly unknown[];
}

/** Reports each fault to the listener. Returns a function that stops listening. */
export function listenForFaults(source: FaultSource, listener: FaultListener): () => void {
  const ownedByProgram = (event: FaultOrigin) =>
    source.listeners(event).some((each) => each !== onException && each !== onRejection);
  const onException = (error: unknown, origin: FaultOrigin) =>
    listener(error, origin, ownedByProgram('uncaughtException'));
  const onRejection = (error: unknown) => {
    // Node does the same: without a listener for rejections, it raises a rejection as an uncaught exception.
    if (!ownedByProgram('unhandledRejection') && ownedByProgram('uncaughtException'))
      source.emit('uncaughtException', error, 'unhandledRejection');
    else listener(error, 'unhandledRejection', ownedByProgram('unhandledRejection'));
  };
  source.on('uncaughtException', onException);
  source.on('unhandledRejection', onRejection);
  return () => {
    source.off('uncaughtException', onException);
    source.off('unhandledRejection', onRejection);
  };
}
