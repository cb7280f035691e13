/**
 * Processes in several places that want the same inbox, each of which may stand still or die at any moment: whoever has lost
 * the inbox confirms nothing any more, nothing is lost, and what two have written is no damage.
 */
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { JournalInbox } from '../../../src/inbox/journal/journal-inbox.js';
import type { Disk } from '../../../src/inbox/log/disk.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { MemoryDisk } from '../log/memory-disk.js';

interface Update {
  readonly update_id: number;
}

jest.setTimeout(30_000);

const PLACES = 3;
/** Longer than a takeover takes. */
const LONG_MS = 12_000;
/** The parts in which time passes, so that the processes run beside each other. */
const TICK_MS = 500;
const BATCH = 3;

/** A process that keeps its clock and its syncs to itself. */
class Process {
  readonly clock = new FakeClock();
  readonly inbox: JournalInbox<Update>;
  readonly events: InboxEvent[] = [];
  isAlive = true;
  isOpen = false;
  isBusy = false;
  #goOn: () => void = () => {};
  #standstill: Promise<void> | undefined;

  constructor(disk: MemoryDisk, now: () => number, place: string, id: string) {
    this.inbox = new JournalInbox<Update>({
      folder: '/inbox',
      bot: '1',
      durability: 'power',
      maxAttempts: 0,
      concurrency: 10,
      limit: 1_000,
      segmentBytes: 300,
      holder: { place, id },
      clock: this.clock,
      disk: this.#diskOf(disk),
      now,
      systemNow: now,
      restore: (content) => content as Update,
      errorText: String,
      emit: (event) => this.events.push(event),
      keyOf: ({ update_id: updateId }) => `${updateId}`,
      kindOf: () => 'message',
      available() {},
    });
  }

  get isStalled(): boolean {
    return this.#standstill !== undefined;
  }

  stall(): void {
    this.#standstill ??= new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  async resume(): Promise<void> {
    this.#standstill = undefined;
    this.#goOn();
    await settle();
  }

  /** While the process stands still, its syncs do not end for it; and once it is dead, it has no effect. */
  #diskOf(disk: MemoryDisk): Disk {
    return new Proxy<Disk>(disk, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (!this.isAlive) throw Object.assign(new Error('dead'), { code: 'EIO' });
          const result: unknown = Reflect.apply(value, target, args);
          if (name !== 'create') return result;
          const file = result as ReturnType<Disk['create']>;
          return {
            ...file,
            sync: async () => {
              await file.sync();
              await this.#standstill;
            },
          };
        };
      },
    });
  }
}

class World {
  readonly disk = new MemoryDisk();
  readonly handled = new Set<number>();
  readonly faults: string[] = [];
  /** The first update that Telegram has not been told to forget. */
  confirmed = 1;
  owner: Process | undefined;
  takeovers = 0;
  readonly #processes: (Process | undefined)[] = Array.from({ length: PLACES });
  #nowMs = 1_700_000_000_000;
  #begun = 0;

  at(place: number): Process | undefined {
    return this.#processes[place];
  }

  async begin(place: number): Promise<void> {
    if (this.at(place)) return;
    const process = new Process(this.disk, () => this.#nowMs, `place ${place}`, `process ${++this.#begun}`);
    this.#processes[place] = process;
    void process.inbox.open().then(
      () => {
        process.isOpen = true;
        this.owner = process;
        this.takeovers++;
      },
      () => this.#end(place, process),
    );
    await settle();
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.#nowMs += TICK_MS;
      for (const process of this.#processes)
        if (process && !process.isStalled) await process.clock.advance(TICK_MS);
      await this.#endFailed();
    }
  }

  /** @param stalls whether the process stands still while it waits for the disk */
  async poll(place: number, stalls = false): Promise<void> {
    const process = this.at(place);
    if (!process?.isOpen || process.isStalled || process.isBusy) return;
    const batch = Array.from({ length: BATCH }, (_, index) => ({ update_id: this.confirmed + index }));
    process.isBusy = true;
    const accepted = process.inbox.accept(batch);
    if (stalls) process.stall();
    void accepted.then(
      (offset) => {
        process.isBusy = false;
        if (offset === undefined) return;
        if (process !== this.owner) this.faults.push('a process has confirmed that had lost the inbox');
        this.confirmed = Math.max(this.confirmed, offset);
      },
      () => {},
    );
    await settle();
    await this.#endFailed();
  }

  async pollAndStall(place: number): Promise<void> {
    await this.poll(place, true);
  }

  async handle(place: number): Promise<void> {
    const process = this.at(place);
    if (!process?.isOpen || process.isStalled) return;
    for (const entry of process.inbox.take(BATCH)) {
      this.handled.add(entry.updateId);
      process.inbox.settle(entry, 'handled');
    }
    await settle();
    await this.#endFailed();
  }

  async die(place: number): Promise<void> {
    const process = this.at(place);
    if (process) this.#end(place, process);
    await process?.resume();
  }

  #end(place: number, process: Process): void {
    process.isAlive = false;
    if (this.at(place) === process) this.#processes[place] = undefined;
  }

  async #endFailed(): Promise<void> {
    for (const [place, process] of this.#processes.entries()) {
      if (!process?.events.some(({ event }) => event === 'inbox.failed')) continue;
      await process.inbox.close('fault');
      this.#end(place, process);
    }
  }

  /** All that stand still go on; then they die, and one process handles what there is. */
  async finish(): Promise<void> {
    for (let place = 0; place < PLACES; place++) await this.at(place)?.resume();
    await this.pass(TICK_MS);
    for (let place = 0; place < PLACES; place++) await this.die(place);
    await this.begin(0);
    await this.pass(LONG_MS);
    const last = this.at(0);
    if (!last?.isOpen) throw new Error('the last process has not opened the inbox');
    for (const entry of last.inbox.take(1_000)) this.handled.add(entry.updateId);
    if (last.events.some(({ event }) => event === 'inbox.damaged')) this.faults.push('the inbox is damaged');
    for (let id = 1; id < this.confirmed; id++)
      if (!this.handled.has(id)) this.faults.push(`update ${id} is lost`);
  }
}

const place = fc.nat(PLACES - 1);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('pass' as const),
      ms: fc.constantFrom(TICK_MS, 5_000, LONG_MS),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      does: fc.constantFrom('begin' as const, 'poll', 'pollAndStall', 'handle', 'stall', 'resume', 'die'),
      place,
    }),
  },
);

describe('an inbox that several processes want', () => {
  it('is confirmed for by its owner only, and loses nothing', async () => {
    let takeovers = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = new World();
        for (const one of steps) {
          if (one.does === 'pass') await world.pass(one.ms);
          else if (one.does === 'stall') world.at(one.place)?.stall();
          else if (one.does === 'resume') await world.at(one.place)?.resume();
          else await world[one.does](one.place);
        }
        await world.finish();
        expect(world.faults).toEqual([]);
        takeovers += world.takeovers - 1;
      }),
      { numRuns: 100 },
    );
    // Otherwise it shows nothing.
    expect(takeovers).toBeGreaterThan(60);
  });
});
