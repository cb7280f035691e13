/** How a handler asks for its update to be handled again later. */
import { parseDuration } from '../duration.js';
import { durationInWords } from '../words.js';

/**
 * Thrown by a handler, asks for its update to be handled again after a delay, at its place in its chat. The update is given
 * up when it is 24 hours old.
 *
 * @example
 * if (response.status === 503) throw new RetryLater('30s');
 */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;

  /**
   * @param delay a duration with its unit (`'500ms'`, `'30s'`, `'2m'`, `'1h'`), or a number of milliseconds
   * @throws TypeError if the delay is neither
   */
  constructor(delay: string | number, options?: { readonly cause?: unknown }) {
    const delayMs = parseDelay(delay);
    super(`the handler asks to be called again in ${durationInWords(delayMs)}`, options);
    this.delayMs = delayMs;
  }
}

/** The delay that a RetryLater asks for, also one of another copy of lastcall; undefined if the error is none. */
export function delayMsOf(error: Readonly<Record<string, unknown>>): number | undefined {
  if (error['name'] !== 'RetryLater') return undefined;
  const { delayMs } = error;
  return typeof delayMs === 'number' && delayMs >= 0 ? delayMs : undefined;
}

function parseDelay(delay: unknown): number {
  const delayMs = parseDuration(delay);
  if (delayMs !== undefined) return delayMs;
  throw new TypeError(
    `${String(delay)} is no delay; expected a duration with its unit, such as '30s' or '2m', or a number of milliseconds`,
  );
}
