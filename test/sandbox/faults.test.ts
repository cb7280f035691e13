import { describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../src/sandbox/fault-rule.js';
import { Faults } from '../../src/sandbox/faults.js';
import { FakeClock } from '../support/fake-clock.js';

function faults(seed = 1) {
  const clock = new FakeClock();
  const ended: number[] = [];
  const rules = new Faults({ clock, seed });
  const add = (rule: FaultRule): number => {
    const id = rules.add(rule, () => ended.push(id));
    return id;
  };
  const apply = (method = 'getMe', bot = 1) => rules.apply({ method, bot }).fault?.kind;
  return { clock, rules, ended, add, apply };
}

describe('a fault rule', () => {
  it('applies to one, several or all methods', () => {
    const { add, apply } = faults();
    add({ kind: 'reset', method: 'getupdates' });
    add({ kind: 'truncated', method: ['getMe', 'sendMessage'] });
    add({ kind: 'invalid-json' });
    expect([apply('getUpdates'), apply('sendMessage'), apply('getChat')]).toEqual([
      'reset',
      'truncated',
      'invalid-json',
    ]);
  });

  it('applies to one bot', () => {
    const { add, apply } = faults();
    add({ kind: 'reset', bot: 7 });
    expect([apply('getMe', 7), apply('getMe', 8)]).toEqual(['reset', undefined]);
  });

  it('lets some requests pass, applies to some, and ends', () => {
    const { rules, ended, add, apply } = faults();
    const id = add({ kind: 'reset', method: 'getMe', after: 2, times: 2 });
    apply('sendMessage');
    expect(Array.from({ length: 6 }, () => apply())).toEqual([
      undefined,
      undefined,
      'reset',
      'reset',
      undefined,
      undefined,
    ]);
    expect(ended).toEqual([id]);
    expect(rules.list()).toEqual([]);
  });

  it('applies to a share of the requests, the same in every run', () => {
    const runs = [faults(3), faults(3), faults(4)].map(({ add, apply }) => {
      add({ kind: 'reset', fraction: 0.2 });
      return Array.from({ length: 1_000 }, () => apply() ?? 'passed').join();
    });
    expect(runs[0]).toBe(runs[1]);
    expect(runs[0]).not.toBe(runs[2]);
    const hits = runs[0]?.split('reset').length ?? 0;
    expect(hits).toBeGreaterThan(150);
    expect(hits).toBeLessThan(250);
  });

  it('ends after its time or when it is removed', async () => {
    const { clock, rules, ended, add, apply } = faults();
    const id = add({ kind: 'reset', forMs: 1_000 });
    await clock.advance(999);
    expect(apply()).toBe('reset');
    await clock.advance(1);
    expect(apply()).toBeUndefined();
    const other = add({ kind: 'reset', forMs: 1_000 });
    rules.remove();
    expect(ended).toEqual([id, other]);
    expect(clock.pending).toBe(0);
  });

  it('adds latency to other faults', () => {
    const { rules, add } = faults();
    add({ kind: 'latency', ms: 100 });
    add({ kind: 'latency', ms: 50 });
    add({ kind: 'reset' });
    expect(rules.apply({ method: 'getMe', bot: 1 })).toMatchObject({
      latencyMs: 150,
      fault: { kind: 'reset' },
    });
  });

  it('picks a random one of several faults', () => {
    const { add, apply } = faults();
    add({ kind: 'assorted', of: [{ kind: 'reset' }, { kind: 'truncated' }] });
    expect(new Set(Array.from({ length: 50 }, () => apply()))).toEqual(new Set(['reset', 'truncated']));
  });

  it('applies to pending requests up to its limit', () => {
    const { rules, add, apply } = faults();
    const polls = [1, 2, 3].map((bot) => ({ method: 'getUpdates', bot }));
    const hit = (id: number) => rules.applyToPending(id, polls).map((fault) => fault?.kind);
    expect(hit(add({ kind: 'reset', times: 2 }))).toEqual(['reset', 'reset', undefined]);
    expect(hit(add({ kind: 'reset', method: 'getMe' }))).toEqual([undefined, undefined, undefined]);
    expect(hit(add({ kind: 'latency', ms: 9 }))).toEqual([undefined, undefined, undefined]);
    rules.remove();
    expect(hit(add({ kind: 'reset', times: 0 }))).toEqual(['reset', 'reset', 'reset']);
    expect(apply()).toBeUndefined();
    expect(rules.list()).toEqual([]);
  });
});
