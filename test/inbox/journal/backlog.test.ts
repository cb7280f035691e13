import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type OrderKey, type Seq, seq as seqOf } from '../../../src/inbox/ids.js';
import { Backlog } from '../../../src/inbox/journal/backlog.js';
import { Item } from '../../../src/inbox/journal/item.js';
import type { RoomLimits } from '../../../src/inbox/journal/room.js';
import { position } from '../../../src/inbox/log/position.js';
import type { Batch } from '../../../src/inbox/store/batch.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Update {
  readonly update_id: number;
  readonly key: string;
}

type Waiting = Item<Update>;

const about = { keyOf: ({ key }: Update) => key, kindOf: () => 'message' };

/** A backlog over a ledger, with updates that are kept here instead of on a disk. */
class Rig {
  readonly ledger = new Ledger();
  readonly #written = new Map<Seq, Waiting>();
  /** In the order in which they were taken. */
  readonly taken: Waiting[] = [];
  /** The taken items that have not settled, by their keys. */
  readonly atWork = new Map<OrderKey, Waiting>();
  readonly clock = new FakeClock();
  readonly backlog: Backlog<Update>;
  reads = 0;
  /** How often there was word that there is something. */
  told = 0;

  constructor(limits: Partial<RoomLimits> = {}) {
    this.backlog = new Backlog<Update>({
      ledger: this.ledger,
      read: (batch, seqs) => this.#read(batch, seqs),
      readAgain: (seq) => this.#again(seq),
      isSuspect: ({ deaths }) => deaths > 0,
      clock: this.clock,
      now: () => this.clock.now(),
      available: () => this.told++,
      failed: (error) => {
        throw error;
      },
      limits: { updates: 100, bytes: 1_000_000, updatesOfKey: 10, ...limits },
    });
  }

  /** Puts a batch on disk, given by the keys of its updates; `a!` is a suspect. */
  write(...keys: string[]): Waiting[] {
    const first = this.ledger.nextSeq;
    const items = keys.map((name, index): Waiting => {
      const seq = seqOf(first + index);
      const attempt = name.endsWith('!') ? 2 : 1;
      const update = { update_id: 1_000 + seq, key: name.replace('!', '') };
      return new Item(update, { seq, attempt, putBacks: 0, retries: 0, acceptedAtMs: 0, bytes: 10 }, about);
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

  #again(seq: Seq): Waiting | undefined {
    return this.ledger.batchOf(seq) && this.#written.get(seq);
  }

  /** A batch has just arrived. */
  arrive(...keys: string[]): void {
    this.backlog.add(this.write(...keys));
  }

  take(): Waiting | undefined {
    const item = this.backlog.take();
    if (!item) return undefined;
    if (this.atWork.has(item.key)) throw new Error(`two of ${item.key} are at work`);
    this.taken.push(item);
    this.atWork.set(item.key, item);
    return item;
  }

  /** Takes all that may start. */
  takeAll(): this {
    while (this.take());
    return this;
  }

  /** All that was taken so far: `a1 b2`. */
  get order(): string {
    return this.taken.map(({ key, seq }) => `${key}${seq}`).join(' ');
  }

  settle(...seqs: number[]): this {
    for (const seq of seqs) {
      const item = [...this.atWork.values()].find((each) => each.seq === seq);
      if (!item) throw new Error(`${seq} is not at work`);
      this.ledger.settle(item.seq);
      this.atWork.delete(item.key);
      this.backlog.remove(item);
    }
    return this;
  }

  /** The handler of an update that is at work has failed for a reason that passes. */
  putBack(seq: number, delayMs: number): this {
    const item = [...this.atWork.values()].find((each) => each.seq === seq);
    if (!item) throw new Error(`${seq} is not at work`);
    this.ledger.begin(item.seq);
    this.ledger.putBack({ seq: item.seq, notBeforeMs: this.clock.now() + delayMs, isRetry: false });
    this.atWork.delete(item.key);
    this.backlog.putBack(item, delayMs);
    return this;
  }

  /** Drops updates that are not at work: nobody tells the backlog. */
  drop(...seqs: number[]): this {
    for (const seq of seqs) this.ledger.settle(seqOf(seq));
    return this;
  }

  /** Handles all that is there, each update as soon as it may start. */
  handleAll(): this {
    for (let item = this.take(); item; item = this.take()) this.settle(item.seq);
    return this;
  }

  /** The unsettled updates, those at work among them. */
  unsettled(): Waiting[] {
    const seqs = this.ledger.batches().flatMap((batch) => [...batch.seqs]);
    return seqs.flatMap((seq) => this.#written.get(seqOf(seq)) ?? []);
  }

  #read(batch: Batch, seqs: readonly Seq[]): Waiting[] {
    this.reads++;
    return seqs
      .flatMap((seq) => (batch.has(seq) ? (this.#written.get(seq) ?? []) : []))
      .map((item) => new Item(item.update, item, about));
  }
}

/** So many times the same key. */
const many = (count: number, key: string): string[] => Array.from({ length: count }, () => key);

/** So many keys that differ. */
const differing = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, i) => `${name} ${i} `);

describe('taking', () => {
  it('gives what has just arrived without reading it again', () => {
    const rig = new Rig();
    rig.arrive('a', 'b', 'a');
    expect(rig.backlog.hasReady).toBe(true);
    expect(rig.takeAll().order).toBe('a1 b2');
    expect(rig.backlog.hasReady).toBe(false);
    rig.settle(1);
    expect(rig.backlog.hasReady).toBe(true);
    expect(rig.takeAll().order).toBe('a1 b2 a3');
    expect(rig.reads).toBe(0);
  });

  it('gives what was there before, and only then what arrives', () => {
    const rig = new Rig();
    rig.write('a', 'b');
    expect(rig.backlog.hasReady).toBe(true);
    rig.arrive('c');
    expect(rig.takeAll().order).toBe('a1 b2 c3');
    rig.arrive('a');
    expect(rig.settle(1).takeAll().order).toBe('a1 b2 c3 a4');
    expect(rig.reads).toBe(2);
  });

  it('counts as loaded what is at work, until it has settled', () => {
    const rig = new Rig();
    rig.arrive('a', 'a', 'b');
    expect(rig.takeAll().backlog.size).toBe(3);
    expect(rig.settle(1).backlog.size).toBe(2);
  });

  it('loads no more when enough is loaded, and goes on when half of that has settled', () => {
    const rig = new Rig({ updates: 10 });
    for (let i = 0; i < 8; i++) rig.write(...differing(4, `batch ${i}`));
    rig.take();
    expect(rig.backlog.size).toBe(12);
    // While something is ready, no batch is read for the sake of a single update.
    for (let seq = 1; seq <= 6; seq++) {
      rig.settle(seq);
      rig.take();
    }
    expect([rig.backlog.size, rig.reads]).toEqual([6, 3]);
    rig.settle(7);
    rig.take();
    expect([rig.backlog.size, rig.reads]).toEqual([13, 5]);
  });

  it('loads more as soon as there is room where nothing that is loaded may start', () => {
    const rig = new Rig({ updates: 4 });
    for (let i = 0; i < 3; i++) rig.write(...differing(4, `batch ${i}`));
    rig.takeAll();
    expect([rig.taken.length, rig.backlog.hasReady]).toEqual([4, false]);
    rig.settle(1);
    expect(rig.backlog.hasReady).toBe(true);
    expect(rig.take()?.seq).toBe(5);
  });

  it('goes by what the loaded updates take in memory, too', () => {
    const rig = new Rig({ bytes: 20 });
    rig.arrive('a', 'b');
    rig.arrive('c');
    expect(rig.takeAll().order).toBe('a1 b2');
    expect(rig.settle(1).takeAll().order).toBe('a1 b2 c3');
  });

  it('leaves out what was dropped before it was loaded', () => {
    const rig = new Rig();
    const items = rig.write('a', 'b', 'c');
    rig.drop(2).backlog.add(items);
    expect(rig.takeAll().order).toBe('a1 c3');
  });

  it('leaves out what was dropped while it was loaded, and goes on behind that', () => {
    const rig = new Rig();
    rig.arrive('a', 'b', 'a', 'a');
    rig.take();
    rig.drop(2, 3).takeAll();
    expect([rig.order, rig.backlog.size]).toEqual(['a1', 3]);
    expect(rig.settle(1).takeAll().order).toBe('a1 a4');
    expect(rig.backlog.size).toBe(1);
  });

  it('goes on with what is on disk where all that was loaded was dropped', () => {
    const rig = new Rig({ updates: 4 });
    rig.arrive(...differing(4, 'loaded'));
    rig.write('late');
    rig.drop(1, 2, 3, 4);
    expect(rig.backlog.hasReady).toBe(true);
    expect(rig.take()?.seq).toBe(5);
  });

  it('does not give a second time what it has read from the disk meanwhile', () => {
    const rig = new Rig();
    const items = rig.write('a', 'b');
    rig.take();
    rig.settle(1).backlog.add(items);
    expect(rig.takeAll().order).toBe('a1 b2');
  });
});

describe('a key that has many', () => {
  it('has only so many loaded, the others are spilled, in order', () => {
    const rig = new Rig({ updatesOfKey: 4 });
    rig.arrive(...many(5, 'a'), 'b', 'a');
    expect(rig.backlog.size).toBe(5);
    rig.takeAll().settle(1);
    // Several are read at once, not one for each that settles.
    expect([rig.backlog.size, rig.reads]).toEqual([4, 0]);
    rig.takeAll().settle(2);
    expect([rig.backlog.size, rig.reads]).toEqual([5, 1]);
    expect(rig.handleAll().order).toBe('a1 b6 a2 a3 a4 a5 a7');
  });

  it('is forgotten once nothing of it is left', () => {
    const rig = new Rig({ updatesOfKey: 2 });
    rig.arrive('a', 'a', 'a');
    rig.handleAll();
    rig.arrive('a', 'a', 'a');
    expect(rig.backlog.size).toBe(2);
    expect(rig.handleAll().order).toBe('a1 a2 a3 a4 a5 a6');
  });

  it('goes on, however many of its spilled updates were dropped', () => {
    const rig = new Rig({ updatesOfKey: 2 });
    rig.arrive(...many(30, 'a'));
    for (let seq = 3; seq < 30; seq++) rig.drop(seq);
    expect(rig.handleAll().order).toBe('a1 a2 a30');
  });

  it('goes on when all its spilled updates were dropped', () => {
    const rig = new Rig({ updatesOfKey: 2 });
    rig.arrive(...many(5, 'a'));
    rig.drop(3, 4, 5).handleAll();
    expect([rig.backlog.size, rig.backlog.hasReady]).toEqual([0, false]);
    rig.arrive('a');
    expect(rig.handleAll().order).toBe('a1 a2 a6');
  });

  it('goes on where so many were dropped that a step for each would be too deep', () => {
    const rig = new Rig({ updatesOfKey: 1 });
    rig.arrive(...many(30_000, 'a'));
    for (let seq = 2; seq < 30_000; seq++) rig.drop(seq);
    expect(rig.handleAll().order).toBe('a1 a30000');
  });

  it('does not keep others waiting, however many such keys there are', () => {
    const rig = new Rig({ updates: 100, updatesOfKey: 10 });
    for (let i = 0; i < 20; i++) rig.write(...differing(40, 'hot'));
    rig.write('quiet');
    rig.takeAll();
    expect(rig.backlog.size).toBeLessThanOrEqual(100);
    expect(rig.taken.map(({ key }) => key)).toContain('quiet');
  });

  it('does not keep others waiting when such keys come one after another, each with all that it has', () => {
    const rig = new Rig({ updates: 1_000, updatesOfKey: 64 });
    const hot = differing(249, 'hot');
    for (const key of hot) rig.write(...many(100, key));
    rig.write('quiet');
    rig.takeAll();
    expect(rig.taken.map(({ key }) => key)).toEqual([...hot, 'quiet']);
  });

  it('has an update loaded even when the room is almost taken', () => {
    const rig = new Rig({ updates: 20, updatesOfKey: 10 });
    rig.write(...differing(19, 'key'));
    rig.write('late');
    expect(rig.takeAll().taken.map(({ key }) => key)).toContain('late');
  });
});

describe('an update that was put back', () => {
  it('holds its chat and no other, leaves the memory, and comes first when its time has come', async () => {
    const rig = new Rig();
    rig.arrive('a', 'a', 'b');
    rig.takeAll().putBack(1, 100).settle(3);
    expect(rig.backlog.size).toBe(1);
    rig.arrive('b', 'a');
    expect(rig.takeAll().order).toBe('a1 b3 b4');
    await rig.clock.advance(99);
    expect(rig.backlog.hasReady).toBe(false);
    const { told } = rig;
    await rig.clock.advance(1);
    expect(rig.told).toBe(told + 1);
    expect(rig.takeAll().settle(1, 4).handleAll().order).toBe('a1 b3 b4 a1 a2 a5');
  });

  it('by an earlier run waits for the rest of its time', async () => {
    const rig = new Rig();
    const [first] = rig.write('a', 'a', 'b');
    if (first) {
      rig.ledger.begin(first.seq);
      rig.ledger.putBack({ seq: first.seq, notBeforeMs: 50, isRetry: false });
    }
    expect(rig.takeAll().order).toBe('b3');
    await rig.clock.advance(50);
    expect(rig.settle(3).handleAll().order).toBe('b3 a1 a2');
  });

  it('lets its chat go on when it is dropped meanwhile', async () => {
    const rig = new Rig();
    rig.arrive('a', 'a');
    rig.takeAll().putBack(1, 100).drop(1);
    await rig.clock.advance(100);
    expect(rig.handleAll().order).toBe('a1 a2');
  });

  it('lets its chat go on at once when it is dropped by request, and has no timer then', async () => {
    const rig = new Rig();
    rig.arrive('a', 'a');
    rig.takeAll().putBack(1, 36_000_000).drop(1);
    rig.backlog.noticeDrops();
    expect(rig.takeAll().order).toBe('a1 a2');
    expect(rig.clock.pending).toBe(0);
  });

  it('waits no longer than until it expires, whatever time the system had before', async () => {
    const rig = new Rig();
    const [first] = rig.write('a', 'a');
    if (first) {
      rig.ledger.begin(first.seq);
      rig.ledger.putBack({ seq: first.seq, notBeforeMs: 10 * 86_400_000, isRetry: false });
    }
    expect(rig.takeAll().order).toBe('');
    await rig.clock.advance(86_400_000);
    expect(rig.takeAll().order).toBe('a1');
  });

  it('is not loaded any more once the backlog is closed', async () => {
    const rig = new Rig();
    rig.arrive('a');
    rig.takeAll().putBack(1, 100);
    rig.backlog.close();
    expect(rig.clock.pending).toBe(0);
  });

  it('makes way for the next suspect', async () => {
    const rig = new Rig();
    rig.write('a!', 'b!');
    rig.takeAll().putBack(1, 100);
    expect(rig.takeAll().order).toBe('a1 b2');
  });
});

describe('suspects', () => {
  it('are loaded one at a time, and hold back those of their key', () => {
    const rig = new Rig();
    rig.arrive('a!', 'b!', 'b', 'c', 'c!', 'c');
    expect(rig.takeAll().order).toBe('a1 c4');
    expect(rig.settle(1).takeAll().order).toBe('a1 c4 b2');
    expect(rig.settle(4).takeAll().order).toBe('a1 c4 b2');
    expect(rig.settle(2).takeAll().order).toBe('a1 c4 b2 b3 c5');
    expect(rig.handleAll().settle(3, 5).handleAll().order).toBe('a1 c4 b2 b3 c5 c6');
  });

  it('do not hold back the chats of others', () => {
    const rig = new Rig();
    rig.arrive('a!', 'b!', 'c', 'd');
    rig.arrive('e', 'c');
    expect(rig.takeAll().order).toBe('a1 c3 d4 e5');
    expect(rig.settle(3).takeAll().order).toBe('a1 c3 d4 e5 c6');
  });

  it('of one key follow one another', () => {
    const rig = new Rig();
    rig.arrive('a!', 'a!', 'a', 'b!');
    expect(rig.takeAll().order).toBe('a1');
    expect(rig.settle(1).takeAll().order).toMatch(/^a1 (a2|b4)$/);
    expect(
      rig
        .handleAll()
        .settle(...[...rig.atWork.values()].map(({ seq }) => seq))
        .handleAll().taken,
    ).toHaveLength(4);
    expect(rig.taken.filter(({ key }) => key === 'a').map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('make room for the next when they are dropped while they are spilled, with all behind them', () => {
    const rig = new Rig({ updatesOfKey: 2 });
    rig.arrive('a!', 'b!', ...many(4, 'b'), 'c!');
    rig.drop(2, 3, 4, 5);
    expect(rig.takeAll().order).toBe('a1');
    expect(rig.settle(1).takeAll().order).toBe('a1 b6 c7');
  });

  it('make room for the next when they are dropped while they are loaded', () => {
    const rig = new Rig();
    rig.arrive('a!', 'b!', 'b', 'c');
    expect(rig.drop(1).takeAll().order).toBe('c4 b2');
    expect(rig.settle(2).handleAll().order).toBe('c4 b2 b3');
  });

  it('make room for the next at once when they are dropped while another update of their chat is at work', () => {
    const rig = new Rig();
    rig.write('a', 'a!', 'b!');
    rig.takeAll().drop(2);
    rig.backlog.noticeDrops();
    expect(rig.takeAll().order).toBe('a1 b3');
  });

  it('make room for the next when they are dropped while their chat is at work', () => {
    const rig = new Rig();
    rig.arrive('a', 'a!', 'b!');
    rig.takeAll().drop(2);
    expect(rig.takeAll().order).toBe('a1');
    expect(rig.settle(1).takeAll().order).toBe('a1 b3');
  });
});

describe('whatever happens in whatever order', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'a', 'b', 'e!', 'a!', 'b!');
  const keys = fc.array(key, { minLength: 1, maxLength: 12 });
  const command = fc.oneof(
    fc.record({ does: fc.constant('arrive' as const), keys }),
    fc.record({ does: fc.constant('write' as const), keys }),
    fc.record({ does: fc.constant('take' as const), many: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ does: fc.constant('take' as const), many: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat() }),
    fc.record({ does: fc.constant('drop' as const), which: fc.nat(), many: fc.nat({ max: 15 }) }),
  );
  const limits = fc.record({
    updates: fc.integer({ min: 4, max: 12 }),
    bytes: fc.constantFrom(30, 1_000),
    updatesOfKey: fc.integer({ min: 1, max: 4 }),
  });

  it('gives all that may start, keeps the order of each key and one suspect at a time, and forgets nothing', () => {
    fc.assert(
      fc.property(limits, fc.array(command, { maxLength: 40 }), (bounds, commands) => {
        const rig = new Rig(bounds);
        const written: Waiting[] = [];
        const dropped = new Set<Seq>();
        const suspects = new Set<Seq>();
        const write = (names: readonly string[]) => {
          const items = rig.write(...names);
          written.push(...items);
          for (const item of items) if (item.attempt > 1) suspects.add(item.seq);
          return items;
        };

        /** Takes one, and says whether there was any: if not, all that waits has a reason to wait. */
        const take = (): boolean => {
          const { hasReady } = rig.backlog;
          const item = rig.take();
          if (item && !hasReady) throw new Error(`nobody would have asked for ${item.seq}`);
          if (item) return true;
          expect(rig.backlog.hasReady).toBe(false);
          const atWork = [...rig.atWork.values()];
          const { updates, bytes } = bounds;
          if (rig.backlog.size >= updates) expect(atWork.length).toBeGreaterThanOrEqual(updates / 4);
          if (rig.backlog.size >= updates || rig.backlog.size * 10 >= bytes) {
            expect(atWork.length).toBeGreaterThan(0);
            return false;
          }
          const suspectKeys = new Set(written.filter(({ seq }) => suspects.has(seq)).map((item) => item.key));
          const suspectMayBeAtWork = atWork.some((item) => suspectKeys.has(item.key));
          const unexplained = rig
            .unsettled()
            .filter((item) => !rig.atWork.has(item.key))
            .filter((item) => !(suspectMayBeAtWork && suspectKeys.has(item.key)));
          expect(unexplained).toEqual([]);
          return false;
        };

        const check = () => {
          const suspectsAtWork = [...rig.atWork.values()].filter(({ seq }) => suspects.has(seq));
          if (suspectsAtWork.length > 1) throw new Error('two suspects are at work');
          if (rig.backlog.size >= bounds.updates + 12) throw new Error('too many are loaded');
        };

        for (const command of commands) {
          switch (command.does) {
            case 'arrive':
              rig.backlog.add(write(command.keys));
              break;
            case 'write':
              write(command.keys);
              break;
            case 'take':
              for (let i = 0; i < command.many && take(); i++);
              break;
            case 'settle': {
              const atWork = [...rig.atWork.values()];
              const item = atWork[command.which % Math.max(1, atWork.length)];
              if (item) rig.settle(item.seq);
              break;
            }
            case 'drop': {
              const waiting = rig.unsettled().filter((item) => rig.atWork.get(item.key)?.seq !== item.seq);
              const from = command.which % Math.max(1, waiting.length);
              for (const { seq } of waiting.slice(from, from + command.many)) {
                dropped.add(seq);
                rig.drop(seq);
              }
            }
          }
          check();
        }

        for (let goesOn = true; goesOn; ) {
          while (take());
          const [item] = rig.atWork.values();
          if (item) rig.settle(item.seq);
          goesOn = item !== undefined;
          check();
        }
        expect(rig.unsettled()).toEqual([]);
        expect([rig.backlog.size, rig.backlog.hasReady]).toEqual([0, false]);
        for (const name of 'abcde') {
          const order = rig.taken.filter((item) => item.key === name).map(({ seq }) => seq);
          expect(order).toEqual([...new Set(order)].sort((one, other) => one - other));
        }
        const taken = rig.taken.map(({ seq }) => seq);
        expect(new Set([...taken, ...dropped])).toEqual(new Set(written.map(({ seq }) => seq)));
      }),
      { numRuns: 1_000 },
    );
  });
});
