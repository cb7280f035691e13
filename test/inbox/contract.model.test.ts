/**
 * Both inboxes against a model of the contract, through any sequence of arrivals, polls, handlers, stops, kills and power
 * cuts: an update is lost never, and begun again only if it was not settled, or its settling not yet safe, when a process
 * ended. Within a process each begins once, and those of one key in order of arrival.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Entry, Inbox } from '../../src/inbox/inbox.js';
import { JournalInbox } from '../../src/inbox/journal/journal-inbox.js';
import type { Disk } from '../../src/inbox/log/disk.js';
import { MemoryInbox } from '../../src/inbox/memory/memory-inbox.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { MemoryDisk } from './log/memory-disk.js';

interface Update {
  readonly update_id: number;
  readonly key: string;
  /** Which update it is; ids may come twice. */
  readonly serial: number;
}

/** What is known of an update, whatever the inbox says. */
interface Fate {
  readonly key: string;
  /** In how many processes it was begun. */
  begun: number;
  /** `unsure`: settled, and a process has ended before that was safe for certain. */
  state: 'new' | 'running' | 'settled' | 'unsure' | 'safe';
}

/** Telegram's side: updates in order of arrival, until an offset passes them. */
class Queue {
  readonly #waiting: Update[] = [];
  readonly #answered = new Set<Update>();
  #nextId = 1_000;
  #serial = 0;
  /** Milliseconds since 1970, to a week. */
  now = 1_700_000_000_000;

  /** After a week of silence the next id may be any, if hardly one that was there before. */
  arrive(keys: readonly string[], jumpTo: number | undefined): Update[] {
    if (jumpTo !== undefined && this.#waiting.length === 0) {
      this.#nextId = jumpTo * 10_000 + this.#serial * 10;
      this.now += 7 * 24 * 60 * 60 * 1_000;
    }
    const updates = keys.map((key) => ({ update_id: this.#nextId++, key, serial: this.#serial++ }));
    this.#waiting.push(...updates);
    return updates;
  }

  /** An offset far from what waits, as after a jump, passes nothing. */
  answer(offset: number | undefined): Update[] {
    const passed = this.#waiting.findIndex(
      (update) => update.update_id === (offset ?? 0) - 1 && this.#answered.has(update),
    );
    this.#waiting.splice(0, passed + 1);
    const answer = this.#waiting.slice(0, 4);
    for (const update of answer) this.#answered.add(update);
    return answer;
  }
}

type Command =
  | { readonly does: 'arrive'; readonly keys: readonly string[]; readonly jumpTo: number | undefined }
  | { readonly does: 'begin' | 'end' | 'throw'; readonly key: string }
  | { readonly does: 'cut power'; readonly seed: readonly number[] }
  | { readonly does: 'poll' | 'commit' | 'stop' | 'kill' | 'hold syncs' | 'release syncs' };

type Create = (
  deliver: (entries: readonly Entry[]) => void,
  surroundings: { readonly clock: FakeClock; readonly disk: Disk; readonly now: () => number },
) => Inbox<Update>;

const shared = { keyOf: ({ key }: Update) => key, kindOf: () => 'message' };

const memory: Create = (deliver) => new MemoryInbox<Update>({ ...shared, deliver });

const journal =
  (durability: 'power' | 'process'): Create =>
  (deliver, { clock, disk, now }) =>
    new JournalInbox<Update>({
      ...shared,
      deliver,
      folder: '/state/inbox',
      bot: '1-a',
      durability,
      maxAttempts: 0,
      concurrency: 2,
      limit: 12,
      holder: { place: 'here', id: 'a process' },
      clock,
      disk,
      now,
      restore: (content) => content as Update,
      errorText: String,
      emit(event) {
        if (event.event === 'inbox.damaged') throw new Error(JSON.stringify(event));
        // What a process that was killed still tries comes to nothing.
        if (event.event === 'inbox.failed' && !event.error.message.includes('KILLED')) throw event.error;
      },
      segmentBytes: 1_500,
    });

/** One process: the inbox, and handlers that begin and end when they are told to. */
class Life {
  readonly clock = new FakeClock();
  readonly #inbox: Inbox<Update>;
  readonly #waiting: Entry[] = [];
  readonly #running = new Map<string, { readonly entry: Entry; readonly fate: Fate }>();
  readonly #queue: Queue;
  readonly #fates: Map<number, Fate>;
  readonly #wrong: unknown[];
  #offset: number | undefined;
  #accepting: Promise<void> | undefined;
  readonly #begun: number[] = [];
  syncsHeld = false;

  constructor(
    create: Create,
    disk: MemoryDisk,
    { queue, fates, wrong }: { queue: Queue; fates: Map<number, Fate>; wrong: unknown[] },
  ) {
    this.#queue = queue;
    this.#fates = fates;
    this.#wrong = wrong;
    this.#inbox = create((entries) => this.#waiting.push(...entries), {
      clock: this.clock,
      disk: disk.mount(),
      now: () => queue.now,
    });
  }

  async begins(): Promise<void> {
    await this.#inbox.open();
    this.#inbox.resume();
    await settle();
  }

  async poll(): Promise<void> {
    if (this.#accepting !== undefined) return;
    const batch = this.#queue.answer(this.#offset);
    this.#passed();
    this.#accepting = this.#inbox.accept(batch).then((offset) => {
      this.#offset = offset ?? this.#offset;
      this.#accepting = undefined;
    });
    await settle();
  }

  async begin(key: string): Promise<void> {
    if (this.#running.has(key)) return;
    const index = this.#waiting.findIndex((entry) => entry.key === key);
    const [entry] = index < 0 ? [] : this.#waiting.splice(index, 1);
    const [update] = entry ? this.#inbox.begin([entry]) : [];
    await settle();
    if (!entry || !update) return;
    const fate = this.#fates.get(update.serial);
    if (!fate) throw new Error('an update that nobody sent');
    const earlier = this.#begun.filter((serial) => this.#fates.get(serial)?.key === key);
    if (earlier.some((serial) => serial >= update.serial)) this.#wrong.push({ outOfOrder: update });
    if (fate.state === 'safe') this.#wrong.push({ again: update });
    this.#begun.push(update.serial);
    fate.begun++;
    fate.state = 'running';
    this.#running.set(key, { entry, fate });
  }

  async end(key: string, result: 'handled' | 'failed'): Promise<void> {
    const { entry, fate } = this.#running.get(key) ?? {};
    if (!entry || !fate) return;
    this.#running.delete(key);
    fate.state = 'settled';
    this.#inbox.settle(entry, result, new Error('thrown'));
    await settle();
  }

  /** As much time as a group commit needs. */
  async commit(safeWith: 'confirm' | 'sync'): Promise<void> {
    await this.clock.advance(20);
    if (safeWith === 'sync' && !this.syncsHeld) this.#makeSafe();
  }

  async stop(safeWith: 'confirm' | 'sync'): Promise<void> {
    const { mayRepeat } = await this.#inbox.drained();
    const cut = [...this.#running.values()].map(({ entry }) => entry.updateId);
    if (safeWith === 'sync' && `${[...mayRepeat].sort()}` !== `${cut.sort()}`)
      this.#wrong.push({ mayRepeat, cut });
    await this.#accepting;
    this.#queue.answer(this.#offset);
    this.#passed();
    if (safeWith === 'sync') this.#makeSafe();
  }

  /** What Telegram has forgotten is safe from coming again, whichever inbox. */
  #passed(): void {
    const waiting = new Set(this.#queue.answer(undefined).map(({ serial }) => serial));
    const oldest = Math.min(...waiting, Number.POSITIVE_INFINITY);
    for (const [serial, fate] of this.#fates)
      if (serial < oldest && fate.state === 'settled' && this.#inbox instanceof MemoryInbox)
        fate.state = 'safe';
  }

  #makeSafe(): void {
    for (const fate of this.#fates.values()) if (fate.state === 'settled') fate.state = 'safe';
  }
}

async function play(
  create: Create,
  commands: readonly Command[],
  safeWith: 'confirm' | 'sync',
): Promise<Fate[]> {
  const disk = new MemoryDisk();
  const world = { queue: new Queue(), fates: new Map<number, Fate>(), wrong: [] as unknown[] };
  let life = new Life(create, disk, world);
  await life.begins();
  const rebirth = async () => {
    for (const fate of world.fates.values()) {
      if (fate.state === 'running') fate.state = 'new';
      if (fate.state === 'settled') fate.state = 'unsure';
    }
    life = new Life(create, disk, world);
    await life.begins();
  };
  for (const command of commands) {
    switch (command.does) {
      case 'arrive':
        for (const { serial, key } of world.queue.arrive(command.keys, command.jumpTo))
          world.fates.set(serial, { key, begun: 0, state: 'new' });
        break;
      case 'poll':
        await life.poll();
        break;
      case 'begin':
        await life.begin(command.key);
        break;
      case 'end':
        await life.end(command.key, 'handled');
        break;
      case 'throw':
        await life.end(command.key, 'failed');
        break;
      case 'commit':
        await life.commit(safeWith);
        break;
      case 'hold syncs':
        disk.holdSyncs = true;
        life.syncsHeld = true;
        break;
      case 'release syncs':
        disk.releaseSyncs();
        life.syncsHeld = false;
        await settle();
        break;
      case 'stop':
        disk.releaseSyncs();
        await life.stop(safeWith);
        await rebirth();
        break;
      case 'kill':
        disk.kill();
        await rebirth();
        break;
      case 'cut power': {
        let turn = 0;
        disk.cutPower(() => command.seed[turn++ % command.seed.length] ?? 0);
        await rebirth();
      }
    }
    expect(world.wrong).toEqual([]);
  }

  // In the end all that was ever sent is handled.
  disk.releaseSyncs();
  life.syncsHeld = false;
  for (let round = 0; round < 60; round++) {
    await life.poll();
    for (const key of keys) {
      await life.begin(key);
      await life.end(key, 'handled');
    }
    await life.commit(safeWith);
  }
  await life.stop(safeWith);
  expect(world.wrong).toEqual([]);
  const fates = [...world.fates.values()];
  expect(fates.filter(({ state }) => state !== 'safe' && state !== 'unsure')).toEqual([]);
  return fates;
}

const keys = ['a', 'b', 'c'];
const key = fc.constantFrom(...keys);
const plain = (does: 'poll' | 'commit' | 'stop' | 'kill' | 'hold syncs' | 'release syncs') =>
  fc.constant<Command>({ does });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('arrive' as const),
      keys: fc.array(key, { minLength: 1, maxLength: 6 }),
      jumpTo: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 5, arbitrary: plain('poll') },
  { weight: 8, arbitrary: fc.record({ does: fc.constantFrom('begin' as const, 'end' as const), key }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('throw' as const), key }) },
  { weight: 2, arbitrary: plain('commit') },
  { weight: 1, arbitrary: plain('hold syncs') },
  { weight: 2, arbitrary: plain('release syncs') },
  { weight: 1, arbitrary: plain('stop') },
  { weight: 1, arbitrary: plain('kill') },
);
const powerCut = fc.record({
  does: fc.constant('cut power' as const),
  seed: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  }),
});

describe.each([
  ['memory', memory, command, 'confirm'],
  [
    'journal',
    journal('power'),
    fc.oneof({ weight: 24, arbitrary: command }, { weight: 1, arbitrary: powerCut }),
    'sync',
  ],
  ['journal without syncs', journal('process'), command, 'sync'],
] as const)('the inbox: %s', (_name, create, commands, safeWith) => {
  it('loses nothing, and repeats only what was not safe', async () => {
    let repeated = 0;
    let all = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { maxLength: 80, size: 'max' }), async (story) => {
        const fates = await play(create, story, safeWith);
        all += fates.length;
        repeated += fates.filter(({ begun }) => begun > 1).length;
      }),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 300) },
    );
    // The stories were not all tame.
    expect(all).toBeGreaterThan(500);
    expect(repeated).toBeGreaterThan(5);
  }, 120_000);
});
