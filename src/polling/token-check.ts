/**
 * Tells a refused token from a refused call. A server that is starting, or that is compatible with Telegram's without
 * having every method, may refuse any call as if the token were wrong. Only `getMe` can say that it is.
 */
import type { ApiAnswer, BotApi, CallOptions, Me } from './bot-api.js';
import type { PollingEvent } from './events.js';
import { classify, type Failure } from './failure.js';
import type { RetryingCaller } from './retrying-caller.js';

/** The time for the first byte of an answer, besides the time that Telegram is asked to wait. */
export const ANSWER_WITHIN_MS = 10_000;

/** After so many refusals in a row, a server is taken not to offer a method: one that is starting may refuse anything. */
const REFUSALS_BELIEVED = 3;

export interface TokenCheckOptions<M extends Me> {
  readonly api: Pick<BotApi<unknown, M>, 'getMe'>;
  readonly caller: RetryingCaller;
  readonly emit: (event: PollingEvent) => void;
}

/** Resolves with the bot's account when the token is valid. Rejects with TOKEN_REFUSED where `getMe` is refused for as long as it may be. */
export function getMe<M extends Me>({
  api,
  caller,
}: Pick<TokenCheckOptions<M>, 'api' | 'caller'>): Promise<M> {
  return caller.call(() => api.getMe(caller.optionsOf(ANSWER_WITHIN_MS)));
}

/** Asks `getMe`, because another call was refused as if the token were wrong. Rejects as {@link getMe} does. */
export async function checkToken<M extends Me>(
  { detail }: Failure,
  { api, caller, emit }: TokenCheckOptions<M>,
): Promise<void> {
  emit({ event: 'poll.token-doubted', detail });
  await getMe({ api, caller });
}

/**
 * Repeats a call until Telegram answers. Resolves with undefined where the call is refused as if the token were wrong while
 * `getMe` is answered, so that the server does not offer the method.
 */
export function callIfOffered<M extends Me, T>(
  attempt: (options: CallOptions) => Promise<ApiAnswer<T>>,
  options: TokenCheckOptions<M>,
): Promise<T | undefined> {
  const { caller } = options;
  let refusals = 0;
  return caller.call<T | undefined>(
    async () => {
      const answer = await attempt(caller.optionsOf(ANSWER_WITHIN_MS));
      const failure = answer.kind === 'ok' ? undefined : classify(answer);
      if (failure?.class !== 'token-refused') return answer;
      await checkToken(failure, options);
      return ++refusals < REFUSALS_BELIEVED ? answer : { kind: 'ok', result: undefined };
    },
    (failure, streak) =>
      failure.class === 'token-refused'
        ? caller.backOff(failure, streak)
        : caller.waitOrGiveUp(failure, streak),
  );
}
