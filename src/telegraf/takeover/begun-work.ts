/** Watches what a program begins: timers, connections, child processes. For a short time only, since watching slows Node down. */
import { createHook } from 'node:async_hooks';
import type { Clock } from '../../clock.js';
import { isObject } from '../../json.js';

/** Node's names for attempts to reach something, which may fail and be made again. */
const attempts: ReadonlySet<string> = new Set([
  'TCPCONNECTWRAP',
  'PIPECONNECTWRAP',
  'GETADDRINFOREQWRAP',
  'QUERYWRAP',
]);

/** Node's names for other work that takes its time. */
const works: ReadonlySet<string> = new Set([...attempts, 'PROCESSWRAP', 'HTTPCLIENTREQUEST']);

export class BegunWork {
  readonly #clock: Clock;
  /** The running timers, by Node's number for each. */
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => this.#note(id, type, resource),
    destroy: (id) => this.#timers.delete(id),
  });
  #begunAny = false;
  #lastAttemptAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastAttemptAt = clock.now();
    this.#hook.enable();
  }

  /** Whether the program has begun anything to wait for. Timers that do not keep the process alive do not count. */
  get any(): boolean {
    return this.#begunAny;
  }

  /** When the program last tried to reach something, or was first watched. */
  get lastAttemptAt(): number {
    return this.#lastAttemptAt;
  }

  /** Whether a timer is running that ends, unlike an interval. */
  get hasTimeout(): boolean {
    return [...this.#timers.values()].some((timer) => timer.hasRef() && !isInterval(timer));
  }

  end(): void {
    this.#hook.disable();
    this.#timers.clear();
  }

  #note(id: number, type: string, resource: object): void {
    if (attempts.has(type)) this.#lastAttemptAt = this.#clock.now();
    if (works.has(type)) this.#begunAny = true;
    if (type !== 'Timeout' || !isTimer(resource)) return;
    this.#timers.set(id, resource);
    // A timer is made first, and made one that nobody waits for right after that.
    queueMicrotask(() => {
      if (resource.hasRef()) this.#begunAny = true;
    });
  }
}

/** Whether a timer fires again and again. Node has no public name for that. */
const isInterval = (timer: NodeJS.Timeout): boolean => typeof Reflect.get(timer, '_repeat') === 'number';

function isTimer(resource: unknown): resource is NodeJS.Timeout {
  return isObject(resource) && typeof resource['hasRef'] === 'function';
}
