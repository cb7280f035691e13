/** Keeps the active fault rules and applies them to requests. */
import type { Clock } from '../clock.js';
import { everyFailure, type FaultRule, type RequestFault } from './fault-rule.js';
import { seededRandom } from './seeded-random.js';

export interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests have failed by the rule. */
  readonly hits: number;
}

interface Entry extends ActiveRule {
  /** Method names in lower case. */
  readonly methods: readonly string[] | undefined;
  readonly random: () => number;
  readonly onEnd: () => void;
  matches: number;
  hits: number;
  cancelEnd: () => void;
}

/** The properties of a request that rules can select. */
export interface RequestInfo {
  readonly method: string;
  readonly bot: number;
}

/** The fault of a request, or undefined if it has none. Latency is counted separately. */
export type AppliedFault = Exclude<RequestFault, { kind: 'latency' }> | undefined;

export class Faults {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;

  constructor({ clock, seed }: { clock: Clock; seed: number }) {
    this.#clock = clock;
    this.#seed = seed;
  }

  /** Activates a rule. Calls `onEnd` when the rule has expired, is used up, or was removed. Returns the rule's id. */
  add(rule: FaultRule, onEnd: () => void): number {
    const id = ++this.#lastId;
    const { method, forMs } = rule;
    const entry: Entry = {
      id,
      rule,
      methods: method === undefined ? undefined : [method].flat().map((name) => name.toLowerCase()),
      random: seededRandom(this.#seed + id),
      onEnd,
      matches: 0,
      hits: 0,
      cancelEnd: () => {},
    };
    this.#entries.set(id, entry);
    if (forMs !== undefined) entry.cancelEnd = this.#clock.after(forMs, () => this.remove(id));
    return id;
  }

  /** Removes the rule with an id, or all rules without one. */
  remove(id?: number): void {
    const ending = id === undefined ? [...this.#entries.values()] : [this.#entries.get(id)];
    for (const entry of ending) {
      if (!entry) continue;
      entry.cancelEnd();
      this.#entries.delete(entry.id);
      entry.onEnd();
    }
  }

  list(): readonly ActiveRule[] {
    return [...this.#entries.values()].map(({ id, rule, hits }) => ({ id, rule, hits }));
  }

  /** Returns the total latency of a new request, and the first other fault that applies to it. */
  apply(request: RequestInfo): { readonly latencyMs: number; readonly fault: AppliedFault } {
    let latencyMs = 0;
    for (const entry of [...this.#entries.values()]) {
      if (!matches(entry, request)) continue;
      entry.matches++;
      if (entry.matches <= (entry.rule.after ?? 0)) continue;
      const fault = this.#hit(entry, entry.rule.times);
      if (fault?.kind === 'latency') latencyMs += fault.ms;
      else if (fault) return { latencyMs, fault };
    }
    return { latencyMs, fault: undefined };
  }

  /**
   * Returns the fault that a newly added rule applies to each of the pending requests. A rule for pending requests only
   * ends with this.
   */
  applyToPending(id: number, requests: readonly RequestInfo[]): readonly AppliedFault[] {
    const entry = this.#entries.get(id);
    if (!entry) return [];
    const { after, times } = entry.rule;
    const faults = requests.map((request) => {
      if (after || !matches(entry, request)) return undefined;
      const fault = this.#hit(entry, times === 0 ? undefined : times);
      return fault?.kind === 'latency' ? undefined : fault;
    });
    if (times === 0) this.remove(id);
    return faults;
  }

  #hit(entry: Entry, times = Number.POSITIVE_INFINITY): RequestFault | undefined {
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

function matches({ rule, methods }: Entry, { bot, method }: RequestInfo): boolean {
  return (
    (rule.bot === undefined || rule.bot === bot) &&
    (methods === undefined || methods.includes(method.toLowerCase()))
  );
}
