/** Waiting for an AbortSignal that may have aborted already. */

/**
 * Calls the listener once when the signal aborts; at once where it has aborted before.
 *
 * @returns a function that takes the listener away again
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** Resolves when the signal aborts. Only for signals that will abort, or that nobody keeps: the listener stays. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    onAbort(signal, resolve);
  });
}
