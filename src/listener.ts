/** Listeners are other people's code: what they throw is kept from whoever tells them something. */

/**
 * The same listener, but nothing that it throws reaches the caller. Each part that tells events wraps its listener in this
 * once, so that a logger that fails can neither stall a queue nor fail an update.
 */
export function guarded<E extends unknown[]>(listener: (...event: E) => unknown): (...event: E) => void {
  return (...event) => {
    try {
      listener(...event);
    } catch {
      // The listener's fault is the listener's own: there is nobody to tell, since it is the one who is told.
    }
  };
}
