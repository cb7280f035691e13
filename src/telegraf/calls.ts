/** The API calls that handlers make through their context: they end with the signal of the handlers' run. */
import { onAbort } from '../abort.js';
import type { SignalSource } from './context.js';
import { errorClassFor } from './known-clients.js';
import { isPlainCall, type PlainClient, sendPlainCall } from './plain-call.js';

/** An AbortSignal of the platform, or one of the abort-controller package, which Telegraf's types ask for. */
type AbortLike = Pick<AbortSignal, 'aborted' | 'addEventListener' | 'removeEventListener'>;

type CallApi = (method: string, payload: object, options?: { signal?: AbortLike }) => Promise<unknown>;

/**
 * Replaces the `callApi` of one context's client, so that its calls reject with the signal's reason once the signal
 * aborts, even where Telegraf's client would never settle. The signal is not read before the first call. Once the handlers
 * have called `process.exit`, calls never settle and send nothing.
 */
export function endCallsWithRun(
  telegram: object,
  run: SignalSource & { readonly hasExited?: boolean },
): void {
  const client = telegram as PlainClient & { callApi: CallApi };
  const { callApi } = client;
  client.callApi = (method, payload, options) => {
    if (run.hasExited) return new Promise(() => {});
    const callByTelegraf = () =>
      callUntil(run.signal, options?.signal, (signal) =>
        Reflect.apply(callApi, client, [method, payload, { ...options, signal }]),
      );
    const errorClass = errorClassFor(callApi);
    if (!errorClass || options?.signal || !isPlainCall(client, method, payload)) return callByTelegraf();
    return sendPlainCall({ client, method, payload, errorClass, signal: run.signal, callByTelegraf });
  };
}

/** Makes a call that ends with either signal: by the reason of `signal`, or as Telegraf ends it for `callers`. */
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
  let stopListening = () => {};
  const ended = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => {
      reject(signal.reason);
      controller.abort(signal.reason);
    });
  });
  try {
    // A race, since node-fetch may never settle, not even when it is aborted: a body cut off is one such case.
    return await Promise.race([ended, call(controller.signal)]);
  } finally {
    stopListening();
    callers?.removeEventListener('abort', endByCaller);
  }
}
