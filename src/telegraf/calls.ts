/** The API calls that handlers make through their context: they end with the signal of the handlers' run. */
import { onAbort } from '../abort.js';
import type { HandlerRun } from '../dispatch/task.js';
import { isObject } from '../json.js';
import { retryAfterMsOf } from './failure.js';
import { errorClassFor } from './known-clients.js';
import { isPlainCall, type PlainClient, sendPlainCall } from './plain-call.js';

/** An AbortSignal of the platform, or one of the abort-controller package, which Telegraf's types ask for. */
type AbortLike = Pick<AbortSignal, 'aborted' | 'addEventListener' | 'removeEventListener'>;

type CallApi = (method: string, payload: object, options?: { signal?: AbortLike }) => Promise<unknown>;

/**
 * Replaces the `callApi` of one context's client, so that its calls reject with the signal's reason once the signal
 * aborts, even where Telegraf's client would never settle. A call that Telegram answers with 429 waits for as long as
 * Telegram asks and is made again, while the run has time for that. Once the handlers have called `process.exit`, calls
 * never settle and send nothing. The signal is not read before the first call.
 *
 * @param errors the errors of the calls are added to it
 */
export function endCallsWithRun(
  telegram: object,
  run: Pick<HandlerRun, 'signal' | 'pause'> & { readonly hasExited?: boolean },
  errors: WeakSet<object>,
): void {
  const client = telegram as PlainClient & { callApi: CallApi };
  const { callApi } = client;
  client.callApi = (method, payload, options) => {
    const callByTelegraf = () =>
      callUntil(run.signal, options?.signal, (signal) =>
        Reflect.apply(callApi, client, [method, payload, { ...options, signal }]),
      );
    const send = (): Promise<unknown> => {
      if (run.hasExited) return new Promise(() => {});
      const errorClass = errorClassFor(callApi);
      const isPlain = errorClass && !options?.signal && isPlainCall(client, method, payload);
      const answer = isPlain
        ? sendPlainCall({ client, method, payload, errorClass, signal: run.signal, callByTelegraf })
        : callByTelegraf();
      return answer.catch(sendAgain);
    };
    const sendAgain = async (error: unknown) => {
      if (isObject(error)) errors.add(error);
      const waitMs = retryAfterMsOf(error);
      // Whoever has given a signal decides about the call's time alone. A stream can be read only once.
      if (waitMs === undefined || options?.signal || holdsStream(payload)) throw error;
      if (!(await run.pause(waitMs))) throw error;
      return send();
    };
    return send();
  };
}

/** How deep a file can be in the parameters of a call: `media`, its index, `media`, `source`, the stream. */
const DEEPEST_STREAM = 5;

function holdsStream(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if ('pipe' in value) return true;
  return depth < DEEPEST_STREAM && Object.values(value).some((inner) => holdsStream(inner, depth + 1));
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
