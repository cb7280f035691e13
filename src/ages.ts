/** How old things are whose time was told by the system's clock, which may be set at any moment. */
import type { Clock } from './clock.js';

/** The two clocks differ by less than this while nobody sets one: time servers slew them. */
const SHORTEST_JUMP_MS = 60_000;

/** A clock that is set to and fro for ever takes no more memory than this. The earliest are forgotten. */
const MOST_RETURNS = 100;

/**
 * The clock was set: what bears a time up to `untilMs` is younger than that time says, or older where `byMs` is negative.
 */
interface Jump {
  /** What the clock showed when it began to go as it did until it was set. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly byMs: number;
}

export class Ages {
  readonly #now: () => number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #jumps: Jump[] = [];
  /** The jumps back to how the clock had gone before: they concern only what was told since it had left that. */
  readonly #returns: Jump[] = [];
  /** What the clock showed first, or when it had been set. */
  #fromMs: number;
  #seen: { readonly wallMs: number; readonly steadyMs: number };

  /** @param now the system's clock, in milliseconds since 1970 */
  constructor(now: () => number, clock: Pick<Clock, 'now'>) {
    this.#now = now;
    this.#clock = clock;
    this.#seen = { wallMs: now(), steadyMs: clock.now() };
    this.#fromMs = this.#seen.wallMs;
  }

  /**
   * How long ago something happened, leaving out by how much the clock was set since then. Where two times can be meant,
   * because the clock was set back, it is the later one. May be negative for what an earlier run has told: its clock may have
   * gone otherwise.
   */
  of(atMs: number): number {
    const nowMs = this.#read();
    const returned = this.#returns.findLast(
      ({ fromMs, untilMs, byMs }) => atMs >= fromMs && atMs <= untilMs && (byMs > 0 || atMs > nowMs),
    );
    const rightAtMs = atMs + (returned?.byMs ?? 0);
    const jumped = this.#jumps.filter(
      ({ fromMs, untilMs, byMs }) =>
        rightAtMs <= untilMs && (byMs > 0 || (rightAtMs > nowMs && rightAtMs >= fromMs)),
    );
    return jumped.reduce((ageMs, { byMs }) => ageMs - byMs, nowMs - rightAtMs);
  }

  /** Returns the time, and takes note of a jump since it was read last. */
  #read(): number {
    const seen = { wallMs: this.#now(), steadyMs: this.#clock.now() };
    const untilMs = this.#seen.wallMs + seen.steadyMs - this.#seen.steadyMs;
    const byMs = seen.wallMs - untilMs;
    if (Math.abs(byMs) >= SHORTEST_JUMP_MS) this.#jump({ fromMs: this.#fromMs, untilMs, byMs }, seen.wallMs);
    this.#seen = seen;
    return seen.wallMs;
  }

  #jump(jump: Jump, toMs: number): void {
    const last = this.#jumps.at(-1);
    if (!last || Math.abs(last.byMs + jump.byMs) >= SHORTEST_JUMP_MS) {
      this.#jumps.push(jump);
      this.#fromMs = toMs;
      return;
    }
    this.#jumps.pop();
    this.#returns.push(jump);
    if (this.#returns.length > MOST_RETURNS) this.#returns.shift();
    this.#fromMs = last.fromMs;
  }
}
