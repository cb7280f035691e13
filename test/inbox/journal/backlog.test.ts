import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { updateId as idOf, type Seq, seq as seqOf } from '../../../src/inbox/ids.js';
import { Item, Queue, type QueueLimits } from '../../../src/inbox/journal/queue.js';
import { position } from '../../../src/inbox/log/position.js';
import type { Batch } from '../../../src/inbox/store/batch.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';

type Waiting = Item<string>;

/** A queue over a ledger, with updates that are kept here instead of on a disk. */
class Rig {
  readonly ledger = new Ledger();
  readonly #written = new Map<number, Waiting>();
  /** In order of delivery. */
  readonly delivered: Waiting[] = [];
  readonly queue: Queue<string>;
  reads = 0;

  constructor(limits: Partial<QueueLimits> = {}) {
    this.queue = new Queue<string>({
      ledger: this.ledger,
      read: (batch, seqs) => this.#read(batch, seqs),
      isSuspect: ({ deaths }) => deaths > 0,
      deliver: (items) => this.delivered.push(...items),
      limits: { delivered: 100, deliveredBytes: 1_000_000, deliveredOfKey: 10, ...limits },
    });
  }

  /** Updates are on disk: by their keys; `a!` is a suspect. */
  write(...keys: string[]): Waiting[] {
    const first = this.ledger.nextSeq;
    const items = keys.map((name, index): Waiting => {
      const seq = seqOf(first + index);
      const attempt = name.endsWith('!') ? 2 : 1;
      const key = name.replace('!', '');
      return new Item({
        seq,
        updateId: idOf(1_000 + seq),
        key,
        kind: 'message',
        attempt,
        update: `${seq}`,
        bytes: 10,
      });
    });
    this.ledger.add(
      { position: position(first * 100), length: 100 },
      items.map(({ seq }) => seq),
    );
    for (const [index, item] of items.entries()) {
      this.#written.set(item.seq, item);
      if (keys[index]?.endsWith('!')) this.ledger.begin(item.seq);
    }
    this.ledger.endRun();
    return items;
  }

  /** They have just arrived. */
  arrive(...keys: string[]): void {
    this.queue.added(this.write(...keys));
  }

  /** Of those delivered and not settled. */
  get atWork(): Waiting[] {
    return [...this.queue.delivered()];
  }

  get order(): string {
    return this.delivered.map(({ key, seq }) => `${key}${seq}`).join(' ');
  }

  settle(seq: number): void {
    if (!this.#itemOf(seq)) throw new Error(`${seq} is not delivered`);
    this.drop(seq);
  }

  /** It is settled, delivered or not. */
  drop(number: number): void {
    const seq = seqOf(number);
    const item = this.#itemOf(seq);
    this.ledger.settle(seq);
    if (item) this.queue.remove(item);
  }

  waiting(): number[] {
    return this.ledger.batches().flatMap(({ seqs }) => seqs);
  }

  isSuspect({ seq }: Waiting): boolean {
    return this.ledger.historyOf(seq).deaths > 0;
  }

  #itemOf(seq: number): Waiting | undefined {
    return this.atWork.find((item) => item.seq === seq);
  }

  #read(batch: Batch, seqs: readonly Seq[]): Waiting[] {
    this.reads++;
    return seqs
      .flatMap((seq) => (batch.has(seq) ? (this.#written.get(seq) ?? []) : []))
      .map((item) => new Item(item));
  }
}

describe('delivering', () => {
  it('hands on what arrives at once, without reading it again', () => {
    const rig = new Rig();
    rig.arrive('a', 'b', 'a');
    expect(rig.order).toBe('a1 b2 a3');
    expect(rig.reads).toBe(0);
  });

  it('hands on what was there before, and only then what arrives', () => {
    const rig = new Rig();
    rig.write('a', 'b');
    rig.arrive('c');
    expect(rig.order).toBe('a1 b2 c3');
    rig.arrive('a');
    expect(rig.order).toBe('a1 b2 c3 a4');
    expect(rig.reads).toBe(2);
  });

  it('knows what is delivered until it has settled, which an item does once', () => {
    const rig = new Rig();
    rig.arrive('a', 'a', 'b');
    const [item] = rig.delivered;
    if (!item) throw new Error('nothing was delivered');
    expect([item.stage, rig.queue.size, rig.atWork.length]).toEqual(['delivered', 3, 3]);
    rig.settle(1);
    expect([item.stage, rig.queue.size]).toEqual(['gone', 2]);
    rig.queue.remove(item);
    expect(rig.atWork.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(rig.queue.size).toBe(2);
  });

  it('stops when enough is delivered, and goes on when half of it has settled', () => {
    const rig = new Rig({ delivered: 10 });
    for (let i = 0; i < 8; i++) rig.write(...['a', 'b', 'c', 'd'].map((name) => `${name}${i} `));
    rig.queue.fill();
    expect(rig.queue.size).toBe(12);
    for (let seq = 1; seq <= 6; seq++) rig.settle(seq);
    expect(rig.queue.size).toBe(6);
    rig.settle(7);
    expect(rig.queue.size).toBe(13);
  });

  it('goes by what they take, too', () => {
    const rig = new Rig({ deliveredBytes: 20 });
    rig.arrive('a', 'b');
    rig.arrive('c');
    expect(rig.order).toBe('a1 b2');
    rig.settle(1);
    expect(rig.order).toBe('a1 b2 c3');
  });

  it('leaves out what was dropped between its arrival and its delivery', () => {
    const rig = new Rig();
    const items = rig.write('a', 'b', 'c');
    rig.drop(2);
    rig.queue.added(items);
    expect(rig.order).toBe('a1 c3');
  });

  it('does not deliver a second time what it has read from the disk meanwhile', () => {
    const rig = new Rig();
    const items = rig.write('a', 'b');
    rig.queue.fill();
    rig.settle(1);
    rig.queue.added(items);
    expect(rig.order).toBe('a1 b2');
  });
});

describe('a key that has many', () => {
  it('has only so many delivered, the others wait aside, in order', () => {
    const rig = new Rig({ deliveredOfKey: 4 });
    rig.arrive('a', 'a', 'a', 'a', 'a', 'b', 'a');
    expect(rig.order).toBe('a1 a2 a3 a4 b6');
    rig.settle(1);
    rig.settle(2);
    expect(rig.order).toBe('a1 a2 a3 a4 b6 a5 a7');
  });

  it('is forgotten once nothing of it is left', () => {
    const rig = new Rig({ deliveredOfKey: 2 });
    rig.arrive('a', 'a', 'a');
    for (const seq of [1, 2, 3]) rig.settle(seq);
    rig.arrive('a', 'a', 'a');
    expect(rig.order).toBe('a1 a2 a3 a4 a5');
  });

  it('goes on, however many that wait aside were dropped', () => {
    const rig = new Rig({ deliveredOfKey: 2 });
    rig.arrive(...Array.from({ length: 30 }, () => 'a'));
    for (let seq = 3; seq < 30; seq++) rig.drop(seq);
    rig.settle(1);
    rig.settle(2);
    expect(rig.order).toBe('a1 a2 a30');
  });

  it('does not keep others waiting, however many such keys there are', () => {
    const rig = new Rig({ delivered: 100, deliveredOfKey: 10 });
    const hot = Array.from({ length: 40 }, (_, i) => `hot ${i} `);
    for (let i = 0; i < 20; i++) rig.write(...hot);
    rig.write('quiet');
    rig.queue.fill();
    expect(rig.queue.size).toBeLessThanOrEqual(100);
    expect(rig.delivered.map(({ key }) => key)).toContain('quiet');
  });

  it('has some of it delivered even when the room is almost taken', () => {
    const rig = new Rig({ delivered: 20, deliveredOfKey: 10 });
    rig.write(...Array.from({ length: 19 }, (_, i) => `key ${i} `));
    rig.write('late');
    rig.queue.fill();
    expect(rig.delivered.map(({ key }) => key)).toContain('late');
  });
});

describe('suspects', () => {
  it('are delivered one at a time, and hold back those of their key', () => {
    const rig = new Rig();
    rig.arrive('a!', 'b!', 'b', 'c', 'c!', 'c');
    expect(rig.order).toBe('a1 c4');
    rig.settle(1);
    expect(rig.order).toBe('a1 c4 b2 b3');
    rig.settle(4);
    expect(rig.order).toBe('a1 c4 b2 b3');
    rig.settle(2);
    expect(rig.order).toBe('a1 c4 b2 b3 c5 c6');
  });

  it('of one key follow one another', () => {
    const rig = new Rig();
    rig.arrive('a!', 'a!', 'a');
    expect(rig.order).toBe('a1');
    rig.settle(1);
    expect(rig.order).toBe('a1 a2 a3');
  });

  it('make room for the next when they are dropped while they wait, with all behind them', () => {
    const rig = new Rig({ deliveredOfKey: 2 });
    rig.arrive('a!', 'b!', 'b', 'b', 'b', 'b', 'c!');
    for (const seq of [2, 3, 4, 5]) rig.drop(seq);
    expect(rig.order).toBe('a1');
    rig.settle(1);
    expect(rig.order).toBe('a1 b6 c7');
  });
});

describe('whatever happens in whatever order', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'a', 'b', 'e!', 'a!', 'b!');
  const keys = fc.array(key, { minLength: 1, maxLength: 12 });
  const command = fc.oneof(
    fc.record({ does: fc.constant('arrive' as const), keys }),
    fc.record({ does: fc.constant('write' as const), keys }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('drop' as const), which: fc.nat(), many: fc.nat({ max: 15 }) }),
    fc.record({ does: fc.constant('fill' as const) }),
  );
  const limits = fc.record({
    delivered: fc.integer({ min: 4, max: 12 }),
    deliveredBytes: fc.constantFrom(30, 1_000),
    deliveredOfKey: fc.integer({ min: 1, max: 4 }),
  });

  it('keeps the order of each key, its share, one suspect at a time, and forgets nothing', () => {
    fc.assert(
      fc.property(limits, fc.array(command, { maxLength: 40 }), (bounds, commands) => {
        const rig = new Rig(bounds);
        const written: number[] = [];
        const dropped = new Set<number>();
        let late: Waiting[] = [];

        const check = () => {
          const { atWork } = rig;
          const ofKey = new Map<string, number>();
          for (const { key: name } of atWork) ofKey.set(name, (ofKey.get(name) ?? 0) + 1);
          for (const count of ofKey.values()) expect(count).toBeLessThanOrEqual(bounds.deliveredOfKey);
          expect(atWork.filter((item) => rig.isSuspect(item)).length).toBeLessThanOrEqual(1);
          for (const name of 'abcde') {
            const order = rig.delivered.filter((item) => item.key === name).map(({ seq }) => seq);
            expect(order).toEqual([...new Set(order)].sort((one, other) => one - other));
          }
        };

        for (const command of commands) {
          switch (command.does) {
            case 'arrive': {
              const items = rig.write(...command.keys);
              written.push(...items.map(({ seq }) => seq));
              rig.queue.added(items);
              break;
            }
            case 'write':
              late = rig.write(...command.keys);
              written.push(...late.map(({ seq }) => seq));
              break;
            case 'settle': {
              const item = rig.atWork[command.which % Math.max(1, rig.atWork.length)];
              if (item) rig.settle(item.seq);
              break;
            }
            case 'drop': {
              const waiting = rig.waiting();
              const from = command.which % Math.max(1, waiting.length);
              for (const seq of waiting.slice(from, from + command.many)) {
                dropped.add(seq);
                rig.drop(seq);
              }
              break;
            }
            case 'fill':
              rig.queue.added(late);
              rig.queue.fill();
          }
          check();
        }

        rig.queue.fill();
        for (let [item] = rig.atWork; item; [item] = rig.atWork) {
          rig.settle(item.seq);
          check();
        }
        expect(rig.waiting()).toEqual([]);
        const delivered = rig.delivered.map(({ seq }) => seq);
        expect(new Set([...delivered, ...dropped])).toEqual(new Set(written));
      }),
      { numRuns: 400 },
    );
  });
});
