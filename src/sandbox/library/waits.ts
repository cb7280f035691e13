/** Waits for what a bot does, on the events of the sandbox: nothing is asked again and again. */
import { onAbort } from '../../abort.js';
import { systemClock } from '../../clock.js';
import { type Duration, parseDuration } from '../../duration.js';
import { SandboxError } from './sandbox-error.js';

/** How long to wait. */
export interface Within {
  /** The time limit, by the clock of the machine. Default: the one that the sandbox was created with. */
  readonly within?: Duration;
}

/** What has failed, and makes the error that tells of it. */
interface Failed {
  tellFailure(): SandboxError;
}

/** @internal */
export interface WaitsOptions {
  readonly limitMs: number;
  /** Calls the listener whenever something may have changed. Returns a function that ends it. */
  readonly onStep: (listener: () => void) => () => void;
  readonly closing: AbortSignal;
  /** The bot that has failed, so that it makes no sense to wait any longer. */
  readonly failed: () => Failed | undefined;
}

/** @internal */
export class Waits {
  readonly #options: WaitsOptions;

  constructor(options: WaitsOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the first value other than undefined that `find` returns, which is asked at once and after each event.
   * Rejects with what `find` throws, with what `overdue` makes when the time is over, at the end of the sandbox, and at that
   * of the newest bot, or of the one that `failed` looks at.
   */
  async until<T>(
    find: () => T | undefined,
    { within }: Within,
    overdue: (limitMs: number) => SandboxError,
    failed = this.#options.failed,
  ): Promise<T> {
    const limitMs = within === undefined ? this.#options.limitMs : durationOf(within, 'within');
    const end = await this.#first(find, limitMs, failed);
    // Errors are made here, so that their stacks lead to the line of the test.
    switch (end.kind) {
      case 'found':
        return end.value;
      case 'thrown':
        throw end.error;
      case 'failed':
        throw end.failed.tellFailure();
      case 'closed':
        throw new SandboxError('CLOSED', 'The sandbox was closed while something was awaited.');
      case 'over':
        throw overdue(limitMs);
    }
  }

  #first<T>(find: () => T | undefined, limitMs: number, failed: WaitsOptions['failed']): Promise<End<T>> {
    const { onStep, closing } = this.#options;
    return new Promise((resolve) => {
      const cleanups: (() => void)[] = [];
      let isOver = false;
      const finish = (end: End<T>) => {
        isOver = true;
        for (const cleanup of cleanups) cleanup();
        resolve(end);
      };
      // What `find` does with what it finds, such as a press, it does once, though there are several events in a row.
      const lookAgain = () => {
        const end = isOver ? undefined : look(find, failed);
        if (end) finish(end);
      };
      lookAgain();
      if (!isOver && closing.aborted) finish({ kind: 'closed' });
      if (isOver) return;
      cleanups.push(
        onStep(lookAgain),
        systemClock.after(limitMs, () => finish({ kind: 'over' })),
        onAbort(closing, () => finish({ kind: 'closed' })),
      );
    });
  }
}

function look<T>(find: () => T | undefined, failed: WaitsOptions['failed']): End<T> | undefined {
  try {
    const value = find();
    if (value !== undefined) return { kind: 'found', value };
  } catch (error) {
    return { kind: 'thrown', error };
  }
  const bot = failed();
  return bot && { kind: 'failed', failed: bot };
}

type End<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'thrown'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly failed: Failed }
  | { readonly kind: 'closed' | 'over' };

/** Returns a duration in milliseconds. @throws SandboxError MISUSED for what is none */
export function durationOf(given: Duration, name: string): number {
  const ms = parseDuration(given);
  if (ms !== undefined) return ms;
  throw new SandboxError('MISUSED', `${name} must be a duration, not ${JSON.stringify(given)}.`, {
    nextStep: "give it with its unit, such as '500ms', '3s' or '24h', or as a number of milliseconds",
  });
}
