import type { LifecycleEvent } from '../../src/lifecycle/events.js';
import type { Hook, HookContext } from '../../src/lifecycle/hook.js';
import { Lifecycle } from '../../src/lifecycle/lifecycle.js';
import type { Outcome } from '../../src/lifecycle/outcome.js';
import { FakeClock } from '../support/fake-clock.js';

type Work = (context: HookContext) => unknown;

/** A lifecycle on a clock that tests step, with a record of what its hooks did and what it told. */
export class Rig {
  readonly clock = new FakeClock();
  readonly events: LifecycleEvent[] = [];
  /** `start db`, `stop db`, … as the hooks were called. */
  readonly calls: string[] = [];
  readonly lifecycle: Lifecycle;

  constructor({ startTimeoutMs = 60_000, stopTimeoutMs = 90_000 } = {}) {
    this.lifecycle = new Lifecycle({
      startTimeoutMs,
      stopTimeoutMs,
      clock: this.clock,
      emit: (event) => this.events.push(event),
    });
  }

  /** Makes a hook whose calls are recorded. */
  hook(name: string, work: { start?: Work; stop?: Work } = {}, limits: Partial<Hook> = {}): Hook {
    return {
      ...limits,
      name,
      start: (context) => {
        this.calls.push(`start ${name}`);
        return work.start?.(context);
      },
      stop: (context) => {
        this.calls.push(`stop ${name}`);
        return work.stop?.(context);
      },
    };
  }

  /** Adds a hook whose calls are recorded. */
  add(...hook: Parameters<Rig['hook']>): void {
    this.lifecycle.add(this.hook(...hook));
  }

  /** Runs until all hooks have started. */
  async running(): Promise<void> {
    void this.lifecycle.run();
    await this.clock.advance(0);
  }

  /** Works for that long, whatever its signal says. */
  ignoringFor = (ms: number) => () => this.clock.sleep(ms);

  /** Works for that long, or until its signal aborts: then it rejects with the reason. */
  heedingFor = (ms: number) => (context: HookContext) => this.clock.sleep(ms, context.signal);

  names(prefix = ''): string[] {
    return this.events.map(({ event }) => event).filter((event) => event.startsWith(prefix));
  }
}

export const hanging = () => new Promise<void>(() => {});

export const throwing = (thrown: unknown) => () => {
  throw thrown;
};

/** `stop db: cut 30000 ms`, … */
export function steps({ phases }: Outcome): string[] {
  return phases.map(({ step, hook, result, durationMs }) => `${step} ${hook}: ${result} ${durationMs} ms`);
}

export function errors({ phases }: Outcome): string[] {
  return phases.flatMap((phase) => ('error' in phase ? [`${phase.error.code} ${phase.error.message}`] : []));
}
