/** Takes down the steps of the start and of the stop: when each began, how long it took and might have taken. */
import type { Clock } from '../../clock.js';
import type { LifecycleEvent } from '../../lifecycle/events.js';
import type { StepRecord } from './record.js';

export interface StepsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Masks secrets. */
  redact(text: string): string;
}

/** A step that is under way. */
type StepBegun = Pick<StepRecord, 'afterMs'> & { readonly limitMs: number };

export class Steps {
  readonly #options: StepsOptions;
  readonly #ended: StepRecord[] = [];
  #begun: StepBegun | undefined;
  #beganAt: number;
  #stopAskedAt: number | undefined;

  constructor(options: StepsOptions) {
    this.#options = options;
    this.#beganAt = options.clock.now();
  }

  /** The steps that have ended, in that order. */
  get ended(): readonly StepRecord[] {
    return this.#ended;
  }

  observe(event: LifecycleEvent): void {
    const { clock, redact } = this.#options;
    const now = clock.now();
    switch (event.event) {
      case 'lifecycle.starting':
        this.#beganAt = now;
        break;
      case 'lifecycle.stopping':
        this.#stopAskedAt = now;
        break;
      case 'hook.starting':
      case 'hook.stopping':
        this.#begun = { afterMs: now - (this.#stopAskedAt ?? this.#beganAt), limitMs: event.limitMs };
        break;
      case 'hook.started':
      case 'hook.stopped':
      case 'hook.called-off':
      case 'hook.failed':
      case 'hook.cut':
        if (this.#begun) this.#ended.push(stepOf(event, this.#begun, redact));
        this.#begun = undefined;
    }
  }
}

/** Three digits say enough. */
export const shortened = (ms: number): number => Number(ms.toPrecision(3));

type StepEnd = Extract<
  LifecycleEvent,
  { readonly event: 'hook.started' | 'hook.stopped' | 'hook.called-off' | 'hook.failed' | 'hook.cut' }
>;

function stepOf(event: StepEnd, begun: StepBegun, redact: (text: string) => string): StepRecord {
  const { hook, durationMs } = event;
  const ofStep = {
    afterMs: shortened(begun.afterMs),
    durationMs: shortened(durationMs),
    ...(Number.isFinite(begun.limitMs) && { limitMs: Math.round(begun.limitMs) }),
  };
  switch (event.event) {
    case 'hook.started':
      return { hook, step: 'start', result: 'done', ...ofStep };
    case 'hook.stopped':
      return { hook, step: 'stop', result: 'done', ...ofStep };
    case 'hook.called-off':
      return { hook, step: 'start', result: 'called-off', ...ofStep };
    default: {
      const result = event.event === 'hook.cut' ? 'cut' : 'failed';
      return { hook, step: event.step, result, error: redact(event.error.message), ...ofStep };
    }
  }
}
