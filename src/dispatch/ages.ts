/** How old things are whose time was told by the system's clock, which may be set at any moment. */
import type { Clock } from '../clock.js';

/** The two clocks differ by less than this while nobody sets one: time servers slew them. */
const SHORTEST_JUMP_MS = 60_000;

/** The clock was set forward: what bears a time up to `untilMs` is younger than that time says. */
interface Jump {
  readonly untilMs: number;
  readonly byMs: number;
}

export class Ages {
  readonly #now: () => number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #jumps: Jump[] = [];
  #seen: { readonly wallMs: number; readonly steadyMs: number };

  /** @param now the system's clock, in milliseconds since 1970 */
  constructor(now: () => number, clock: Pick<Clock, 'now'>) {
    this.#now = now;
    this.#clock = clock;
    this.#seen = { wallMs: now(), steadyMs: clock.now() };
  }

  /** How long ago something happened, leaving out by how much the clock was set forward since then. May be negative. */
  of(atMs: number): number {
    const nowMs = this.#read();
    const jumped = this.#jumps.filter(({ untilMs }) => atMs <= untilMs);
    return jumped.reduce((ageMs, { byMs }) => ageMs - byMs, nowMs - atMs);
  }

  /** Returns the time, and takes note of a jump since it was read last. */
  #read(): number {
    const seen = { wallMs: this.#now(), steadyMs: this.#clock.now() };
    const untilMs = this.#seen.wallMs + seen.steadyMs - this.#seen.steadyMs;
    const byMs = seen.wallMs - untilMs;
    if (byMs >= SHORTEST_JUMP_MS) this.#jumps.push({ untilMs, byMs });
    this.#seen = seen;
    return seen.wallMs;
  }
}
