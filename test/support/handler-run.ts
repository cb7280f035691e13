/** What a handler sees of its run, in place of the dispatcher's. */
import type { HandlerRun } from '../../src/dispatch/task.js';

/** A run that has no time to wait, and whose update is never put back, unless said otherwise. */
export function handlerRun(
  source: Pick<HandlerRun, 'signal'> = new AbortController(),
  rest: Partial<Omit<HandlerRun, 'signal'>> = {},
): HandlerRun {
  return {
    get signal() {
      return source.signal;
    },
    isPutBack: () => false,
    pause: async () => false,
    ...rest,
  };
}
