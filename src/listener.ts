/** Keeps errors of event listeners away from the code that emits the events. */

/**
 * Wraps a listener so that its errors are swallowed. Each part that emits events wraps its listener once, so that a logger
 * that fails can neither stall a queue nor fail an update.
 */
export function guarded<E extends unknown[]>(listener: (...event: E) => unknown): (...event: E) => void {
  return (...event) => {
    try {
      listener(...event);
    } catch {
      // There is nobody else to report the error to.
    }
  };
}
