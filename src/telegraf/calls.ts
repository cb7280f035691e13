/**
 * The calls that handlers make through their context: they end with the signal of the handler's run. Telegraf's own
 * client carries them, but for the plain ones, which {@link carry} takes over.
 */
import {
  type AbortLike,
  type CallApi,
  carry,
  isPlainCall,
  isTelegrafsOwn,
  type PlainClient,
} from './plain-call.js';

/**
 * Gives the client of one context a `callApi` whose calls reject with the signal's reason once that aborts. The signal
 * is read at the first call only.
 */
export function endCallsWith(run: { readonly signal: AbortSignal }, telegram: object): void {
  const client = telegram as PlainClient & { callApi: CallApi };
  const { callApi } = client;
  client.callApi = (method, payload, options) => {
    const byTelegraf = () =>
      callUntil(run.signal, options?.signal, (signal) =>
        Reflect.apply(callApi, client, [method, payload, { ...options, signal }]),
      );
    if (options?.signal || !isPlainCall(client, method, payload) || !isTelegrafsOwn(callApi))
      return byTelegraf();
    return carry({ client, method, payload, callApi, signal: run.signal, byTelegraf });
  };
}

/** Makes a call that ends with either signal: by the reason of ours, or as Telegraf's client ends it for the caller's. */
async function callUntil(
  signal: AbortSignal,
  callers: AbortLike | undefined,
  call: (either: AbortSignal) => Promise<unknown>,
): Promise<unknown> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const endByCaller = () => controller.abort();
  if (callers?.aborted) endByCaller();
  callers?.addEventListener('abort', endByCaller);
  let end = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = () => {
      reject(signal.reason);
      controller.abort(signal.reason);
    };
  });
  signal.addEventListener('abort', end);
  try {
    // A race, since node-fetch may never settle, not even when it is aborted: a body cut off is one such case.
    return await Promise.race([ended, call(controller.signal)]);
  } finally {
    signal.removeEventListener('abort', end);
    callers?.removeEventListener('abort', endByCaller);
  }
}
