/** Keeps the active fault rules and applies them to requests. */
import type { Clock } from '../clock.js';
import { everyFailure, type FaultRule, type RequestFault } from './fault-rule.js';
import { seededRandom } from './seeded-random.js';

export interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests have failed by the rule. */
  readonly hits: number;
  /** When the rule ends by itself. */
  readonly endsAtMs?: number;
}

interface RuleState extends ActiveRule {
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
  readonly #rules = new Map<number, RuleState>();
  #lastId = 0;

  constructor({ clock, seed }: { clock: Clock; seed: number }) {
    this.#clock = clock;
    this.#seed = seed;
  }

  /** Activates a rule. Calls `onEnd` when the rule has expired, is used up, or was removed. Returns the rule's id. */
  add(rule: FaultRule, onEnd: () => void): number {
    const id = ++this.#lastId;
    const { method, forMs } = rule;
    const state: RuleState = {
      id,
      rule,
      methods: method === undefined ? undefined : [method].flat().map((name) => name.toLowerCase()),
      random: seededRandom(this.#seed + id),
      onEnd,
      matches: 0,
      hits: 0,
      cancelEnd: () => {},
      ...(forMs !== undefined && { endsAtMs: this.#clock.now() + forMs }),
    };
    this.#rules.set(id, state);
    if (forMs !== undefined) state.cancelEnd = this.#clock.after(forMs, () => this.remove(id));
    return id;
  }

  /** Removes the rule with an id, or all rules without one. */
  remove(id?: number): void {
    const ending = id === undefined ? [...this.#rules.values()] : [this.#rules.get(id)];
    for (const state of ending) {
      if (!state) continue;
      state.cancelEnd();
      this.#rules.delete(state.id);
      state.onEnd();
    }
  }

  list(): readonly ActiveRule[] {
    return [...this.#rules.values()].map(({ id, rule, hits, endsAtMs }) => ({
      id,
      rule,
      hits,
      ...(endsAtMs !== undefined && { endsAtMs }),
    }));
  }

  /** Returns the total latency of a new request, and the first other fault that applies to it. */
  apply(request: RequestInfo): { readonly latencyMs: number; readonly fault: AppliedFault } {
    let latencyMs = 0;
    for (const state of [...this.#rules.values()]) {
      if (!matches(state, request)) continue;
      state.matches++;
      if (state.matches <= (state.rule.after ?? 0)) continue;
      const fault = this.#hit(state, state.rule.times);
      if (fault?.kind === 'latency') latencyMs += fault.ms;
      else if (fault) return { latencyMs, fault };
    }
    return { latencyMs, fault: undefined };
  }

  /**
   * Returns the fault that a newly added rule applies to each of the pending requests. Ends a rule that is only for
   * pending requests.
   */
  applyToPending(id: number, requests: readonly RequestInfo[]): readonly AppliedFault[] {
    const state = this.#rules.get(id);
    if (!state) return [];
    const { after, times } = state.rule;
    const faults = requests.map((request) => {
      if (after || !matches(state, request)) return undefined;
      const fault = this.#hit(state, times === 0 ? undefined : times);
      return fault?.kind === 'latency' ? undefined : fault;
    });
    if (times === 0) this.remove(id);
    return faults;
  }

  #hit(state: RuleState, times = Number.POSITIVE_INFINITY): RequestFault | undefined {
    const { rule, random } = state;
    if (rule.kind === 'refuse' || rule.kind === 'rival') return undefined;
    if (state.hits >= times || random() >= (rule.fraction ?? 1)) return undefined;
    state.hits++;
    if (state.hits >= times) this.remove(state.id);
    if (rule.kind !== 'assorted') return rule;
    const choice = rule.of ?? everyFailure;
    return choice[Math.floor(random() * choice.length)];
  }
}

function matches({ rule, methods }: RuleState, { bot, method }: RequestInfo): boolean {
  return (
    (rule.bot === undefined || rule.bot === bot) &&
    (methods === undefined || methods.includes(method.toLowerCase()))
  );
}
