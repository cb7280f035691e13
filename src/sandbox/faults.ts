/**
 * The fault rules in force, and what they do to each request.
 */
import type { Clock } from '../clock.js';
import { everyFailure, type FaultRule, type RequestFault } from './fault-rule.js';
import { seededRandom } from './seeded-random.js';

/** A rule as it stands. */
export interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests it has hit. */
  readonly hits: number;
}

interface Entry {
  readonly id: number;
  readonly rule: FaultRule;
  readonly methods: readonly string[] | undefined;
  readonly random: () => number;
  seen: number;
  hits: number;
  cancelEnd: () => void;
}

export interface RequestKind {
  readonly method: string;
  readonly bot: number;
}

/** What a request meets: all latencies together, and the first other fault. */
export interface Encounter {
  readonly latencyMs: number;
  readonly fault: Exclude<RequestFault, { kind: 'latency' }> | undefined;
}

export class Faults {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #ended: (id: number) => void;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;

  /** `ended` is told when a rule is gone: its time is over, it is spent, or it was removed. */
  constructor({ clock, seed, ended }: { clock: Clock; seed: number; ended: (id: number) => void }) {
    this.#clock = clock;
    this.#seed = seed;
    this.#ended = ended;
  }

  /** Returns the id by which the rule can be removed. */
  add(rule: FaultRule): number {
    const id = ++this.#lastId;
    const { method } = rule;
    const entry: Entry = {
      id,
      rule,
      methods: method === undefined ? undefined : [method].flat().map((name) => name.toLowerCase()),
      random: seededRandom(this.#seed + id),
      seen: 0,
      hits: 0,
      cancelEnd: () => {},
    };
    this.#entries.set(id, entry);
    if (rule.forMs !== undefined) entry.cancelEnd = this.#clock.after(rule.forMs, () => this.remove(id));
    return id;
  }

  /** Ends one rule, or all. */
  remove(id?: number): void {
    const ending = id === undefined ? [...this.#entries.values()] : [this.#entries.get(id)];
    for (const entry of ending) {
      if (!entry) continue;
      entry.cancelEnd();
      this.#entries.delete(entry.id);
      this.#ended(entry.id);
    }
  }

  list(): readonly ActiveRule[] {
    return [...this.#entries.values()].map(({ id, rule, hits }) => ({
      id,
      rule,
      hits,
    }));
  }

  /** What befalls a request that arrives now. */
  meet(request: RequestKind): Encounter {
    let latencyMs = 0;
    for (const entry of [...this.#entries.values()]) {
      if (!isAbout(entry, request)) continue;
      entry.seen++;
      if (entry.seen <= (entry.rule.after ?? 0)) continue;
      const fault = this.#strike(entry, entry.rule.times);
      if (fault?.kind === 'latency') latencyMs += fault.ms;
      else if (fault) return { latencyMs, fault };
    }
    return { latencyMs, fault: undefined };
  }

  /**
   * What the rule `id`, just added, does to each of the requests that are under way, in their order; ends the rule
   * when that was all it was for.
   */
  meetUnderWay(id: number, requests: readonly RequestKind[]): readonly Encounter['fault'][] {
    const entry = this.#entries.get(id);
    if (!entry) return [];
    const { after, times } = entry.rule;
    const faults = requests.map((request) => {
      if (after || !isAbout(entry, request)) return undefined;
      const fault = this.#strike(entry, times === 0 ? undefined : times);
      return fault?.kind === 'latency' ? undefined : fault;
    });
    if (times === 0) this.remove(id);
    return faults;
  }

  #strike(entry: Entry, times = Number.POSITIVE_INFINITY): RequestFault | undefined {
    const { rule, random } = entry;
    if (rule.kind === 'refuse' || rule.kind === 'rival') return undefined;
    if (entry.hits >= times || random() >= (rule.fraction ?? 1)) return undefined;
    entry.hits++;
    if (entry.hits >= times) this.remove(entry.id);
    if (rule.kind !== 'assorted') return rule;
    const choice = rule.of ?? everyFailure;
    return choice[Math.floor(random() * choice.length)];
  }
}

function isAbout({ rule, methods }: Entry, { bot, method }: RequestKind): boolean {
  return (
    (rule.bot === undefined || rule.bot === bot) &&
    (methods === undefined || methods.includes(method.toLowerCase()))
  );
}
