/**
 * All inboxes against a model of the contract, through any sequence of arrivals, polls, handlers, stops, kills and power
 * cuts. No update is ever lost, and one is begun again only if it was not settled, or its settling not yet safe, when a
 * process ended. Within a process each begins once, and those of one key one after another, in order of arrival. And no
 * update waits that could start: whoever takes when there is word that there is something, gets all there is.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { InboxEvent } from '../../src/inbox/events.js';
import type { Entry, Inbox } from '../../src/inbox/inbox.js';
import { JournalInbox } from '../../src/inbox/journal/journal-inbox.js';
import { MemoryInbox } from '../../src/inbox/memory/memory-inbox.js';
import { PostgresInbox } from '../../src/inbox/postgres/postgres-inbox.js';
import { FakeClock, settle } from '../support/fake-clock.js';
import { PostgresServer } from '../support/postgres.js';
import { MemoryDisk } from './log/memory-disk.js';
import { ProcessLink } from './postgres/inbox-rig.js';

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
  | { readonly does: 'take'; readonly most: number }
  | { readonly does: 'end' | 'throw'; readonly key: string }
  | { readonly does: 'put back'; readonly key: string; readonly delayMs: number }
  | { readonly does: 'cut power'; readonly seed: readonly number[] }
  /** A stop, which may have handlers cut, and in which a poll may still be answered. */
  | { readonly does: 'stop'; readonly cuts: boolean; readonly polls: boolean }
  | { readonly does: 'poll' | 'commit' | 'kill' | 'hold syncs' | 'release syncs' };

let worlds = 0;

/** All that there is beside the process. */
class World {
  readonly number = ++worlds;
  /** The connections of the process to a database. */
  link: ProcessLink | undefined;
  readonly queue = new Queue();
  readonly disk = new MemoryDisk();
  readonly fates = new Map<number, Fate>();
  /** The updates that an inbox holds for certain, if they are not settled. */
  readonly held = new Set<number>();
  /** The updates that were put back, and have not begun again. */
  readonly putBack = new Set<number>();
  /** What was against the contract. */
  readonly wrong: unknown[] = [];
  /** What could be seen of the inbox. */
  readonly trace: unknown[] = [];
  syncsHeld = false;
  events = 0;
  readonly listenerThrows: boolean;

  constructor({ listenerThrows }: { readonly listenerThrows: boolean }) {
    this.listenerThrows = listenerThrows;
  }

  fateOf({ serial }: Update): Fate {
    const fate = this.fates.get(serial);
    if (!fate) throw new Error('an update that nobody sent');
    return fate;
  }

  told(event: InboxEvent): void {
    this.events++;
    // What a process that was killed still tries comes to nothing.
    const wasKilled = event.event === 'inbox.failed' && event.error.message.includes('KILLED');
    if (event.event === 'inbox.damaged' || (event.event === 'inbox.failed' && !wasKilled))
      this.wrong.push(event);
    if (this.listenerThrows) throw new Error('a fault of the listener');
  }
}

interface Kind {
  create(world: World, clock: FakeClock, available: () => void): Inbox<Update>;
  /** Makes an inbox ready to accept. */
  open?(inbox: Inbox<Update>): Promise<void>;
  /** Lets everything end that is under way without time passing. */
  settle?(world: World): Promise<void>;
  /** The process with the inbox is killed. */
  kill?(world: World): Promise<void>;
  /** Whether the inbox itself is the safe place, or Telegram's queue. */
  readonly keeps: boolean;
}

const shared = { keyOf: ({ key }: Update) => key, kindOf: () => 'message' };

const memory: Kind = {
  keeps: false,
  create: ({ queue }, clock, available) =>
    new MemoryInbox<Update>({ ...shared, clock, now: () => queue.now + clock.now(), available }),
};

const journal = (durability: 'power' | 'process'): Kind => ({
  keeps: true,
  create: (world, clock, available) =>
    new JournalInbox<Update>({
      ...shared,
      available,
      folder: '/state/inbox',
      bot: '1-a',
      durability,
      maxAttempts: 0,
      concurrency: 2,
      limit: 12,
      holder: { place: 'here', id: 'a process' },
      clock,
      disk: world.disk.mount(),
      now: () => world.queue.now + clock.now(),
      restore: (content) => content as Update,
      errorText: String,
      emit: (event) => world.told(event),
      segmentBytes: 1_500,
    }),
});

let server: PostgresServer | undefined;
let database = '';

/** The database is real, and takes real time; all other time is the story's. */
const postgres: Kind = {
  keeps: true,
  create(world, clock, available) {
    const link = new ProcessLink(database);
    world.link = link;
    return new PostgresInbox<Update>({
      ...shared,
      available,
      bot: `bot ${world.number}`,
      place: 'here',
      path: 'a database',
      createDriver: link.createDriver,
      maxAttempts: 0,
      concurrency: 2,
      limit: 1_000,
      clock,
      leaseClock: clock,
      now: () => world.queue.now + clock.now(),
      restore: (content) => content as Update,
      errorText: String,
      emit: (event) => world.told(event),
    });
  },
  async open(inbox) {
    await inbox.open();
    if (inbox instanceof PostgresInbox) await inbox.nextTurn(new AbortController().signal);
  },
  async settle({ link }) {
    for (let done = -1; link && (link.isAtWork || link.done !== done); ) {
      done = link.done;
      await settle();
    }
  },
  async kill({ link, number }) {
    link?.kill();
    // What the server is still at for the dead process may hold locks, for moments.
    const sessions = `select from pg_stat_activity where application_name = 'lastcall'`;
    while ((await server?.query(sessions))?.length) await settle();
    await server?.query(`update lastcall.hosts set lease_ms = 0 where bot = 'bot ${number}'`, 'test_1');
  },
};

/** One process: the inbox, and handlers that begin and end when they are told to. */
class Life {
  readonly #clock = new FakeClock();
  readonly #world: World;
  readonly #kind: Kind;
  readonly #inbox: Inbox<Update>;
  readonly #running = new Map<string, Entry<Update>>();
  /** The serial numbers of all that were begun, and of all that have settled. */
  readonly #begun: number[] = [];
  readonly #settled = new Set<number>();
  /** When the updates that were put back may begin again, by their serial numbers. */
  readonly #delayedUntil = new Map<number, number>();
  #newestBegun = -1;
  #isDraining = false;
  #offset: number | undefined;
  #accepting: Promise<void> | undefined;
  /** What was accepted last. */
  #batch: readonly Update[] = [];
  /** Whether all that could start was taken, and nobody has said since that there is more. */
  #isExhausted = false;

  constructor(kind: Kind, world: World) {
    this.#kind = kind;
    this.#world = world;
    this.#inbox = kind.create(world, this.#clock, () => {
      this.#isExhausted = false;
    });
  }

  get lastedMs(): number {
    return this.#clock.now();
  }

  async begins(): Promise<void> {
    if (!this.#kind.keeps) this.#world.held.clear();
    await (this.#kind.open?.(this.#inbox) ?? this.#inbox.open());
    await this.#settle();
  }

  async #settle(): Promise<void> {
    await settle();
    await this.#kind.settle?.(this.#world);
  }

  async poll(): Promise<void> {
    if (this.#accepting !== undefined) return;
    const { queue, held, trace } = this.#world;
    const batch = queue.answer(this.#offset);
    this.#passed();
    const hold = () => {
      for (const { serial } of batch) held.add(serial);
    };
    if (!this.#isDraining) this.#batch = batch;
    if (!this.#kind.keeps && !this.#isDraining) hold();
    this.#accepting = this.#inbox.accept(batch).then((offset) => {
      if (this.#kind.keeps && offset !== undefined) hold();
      trace.push({ offset });
      this.#offset = offset ?? this.#offset;
      this.#accepting = undefined;
    });
    await this.#settle();
  }

  async take(most: number): Promise<void> {
    const { hasReady } = this.#inbox;
    const entries = this.#inbox.take(most);
    const { wrong, trace } = this.#world;
    trace.push(entries.map(({ update }) => update.serial));
    if (entries.length > most) wrong.push({ tooMany: entries });
    if (entries.length > 0 && !hasReady) wrong.push({ nobodyWouldHaveAskedFor: entries });
    for (const entry of entries) this.#begin(entry);
    if (entries.length < most) {
      this.#isExhausted = true;
      if (this.#inbox.hasReady) wrong.push('there seems to be something, but there is not');
      if (!this.#isDraining) this.#checkThatNothingCouldStart();
    }
    await this.#settle();
  }

  /** Takes and ends all there is, as long as there is word that there is something. */
  async handleAll(): Promise<void> {
    for (const key of [...this.#running.keys()]) await this.end(key, 'handled');
    while (!this.#isExhausted) {
      await this.take(2);
      for (const key of [...this.#running.keys()]) await this.end(key, 'handled');
    }
  }

  async end(key: string, result: 'handled' | 'failed'): Promise<void> {
    const entry = this.#running.get(key);
    if (!entry) return;
    this.#running.delete(key);
    this.#settled.add(entry.update.serial);
    this.#world.fateOf(entry.update).state = 'settled';
    this.#inbox.settle(entry, result, new Error('thrown'));
    this.#isExhausted = false;
    await this.#settle();
  }

  /** The handler fails for a reason that passes. */
  async putBack(key: string, delayMs: number): Promise<void> {
    const entry = this.#running.get(key);
    if (!entry) return;
    const { serial } = entry.update;
    this.#running.delete(key);
    this.#begun.splice(this.#begun.indexOf(serial), 1);
    this.#world.fateOf(entry.update).state = 'new';
    this.#world.putBack.add(serial);
    this.#delayedUntil.set(serial, this.#clock.now() + delayMs);
    this.#inbox.putBack(entry, { delayMs, isRetry: true });
    await this.#settle();
  }

  /** As much time as a group commit needs. */
  async commit(): Promise<void> {
    await this.#clock.advance(20);
    await this.#settle();
    if (this.#kind.keeps && !this.#world.syncsHeld) this.#makeSafe();
  }

  async stop({ cuts, polls }: { readonly cuts: boolean; readonly polls: boolean }): Promise<void> {
    const { queue, disk, wrong, trace } = this.#world;
    const inbox = this.#inbox;
    inbox.drain();
    this.#isDraining = true;
    if (polls) await this.poll();
    await this.take(1);
    if (!cuts) await this.handleAll();
    disk.releaseSyncs();
    const report = await inbox.close();
    trace.push(report);
    if (`${[...report.mayRepeat].sort()}` !== `${this.#mayRepeat().sort()}`) wrong.push({ report });
    // Behind an update that was put back nothing can be confirmed at Telegram.
    const isGapless = this.#kind.keeps || this.#world.putBack.size === 0;
    if (!cuts && isGapless && report.mayRepeat.length > 0) wrong.push({ cutNothing: report });
    await this.#accepting;
    // From now on nothing has any effect.
    for (const entry of this.#running.values()) inbox.settle(entry, 'handled');
    if (inbox.hasReady || inbox.take(5).length > 0) wrong.push('something can be taken from a closed inbox');
    if ((await inbox.close()) !== report) wrong.push('another report');
    queue.answer(this.#offset);
    this.#passed();
    if (this.#kind.keeps) this.#makeSafe();
  }

  /** To be called when all that can run has run. */
  check(): void {
    const { wrong } = this.#world;
    if (this.#isExhausted && this.#inbox.hasReady) wrong.push('nobody was told that there is something');
    const { taken, waiting } = this.#inbox.counts;
    if (taken !== this.#running.size || waiting < this.#waiting().length)
      wrong.push({ taken, waiting, running: this.#running.size, known: this.#waiting() });
  }

  #begin(entry: Entry<Update>): void {
    const { update, key } = entry;
    const { wrong, fates } = this.#world;
    const fate = this.#world.fateOf(update);
    if (this.#running.has(key)) wrong.push({ twoOfOneKey: update });
    const earlier = this.#begun.filter((serial) => fates.get(serial)?.key === key);
    if (earlier.some((serial) => serial >= update.serial)) wrong.push({ outOfOrder: update });
    if (fate.state === 'safe') wrong.push({ again: update });
    const isGap = !this.#kind.keeps && this.#newestBegun > update.serial;
    if ((this.#delayedUntil.get(update.serial) ?? 0) > this.#clock.now()) wrong.push({ tooSoon: update });
    this.#world.putBack.delete(update.serial);
    if (this.#delayedUntil.has(update.serial) && entry.attempt < 2) wrong.push({ attempt: entry.attempt });
    this.#newestBegun = Math.max(this.#newestBegun, update.serial);
    if (this.#isDraining && !isGap) wrong.push({ inDrain: update });
    this.#begun.push(update.serial);
    fate.begun++;
    fate.state = 'running';
    this.#running.set(key, entry);
  }

  /** What the inbox holds for certain, and nobody handles. */
  #waiting(): readonly number[] {
    return [...this.#world.held].filter((serial) => this.#world.fates.get(serial)?.state === 'new');
  }

  #checkThatNothingCouldStart(): void {
    const { fates, wrong } = this.#world;
    const delayed = [...this.#world.putBack].filter(
      (serial) => (this.#delayedUntil.get(serial) ?? Number.POSITIVE_INFINITY) >= this.#clock.now(),
    );
    const blocked = new Set([...this.#running.keys(), ...delayed.map((serial) => fates.get(serial)?.key)]);
    const startable = this.#waiting().filter((serial) => !blocked.has(fates.get(serial)?.key));
    if (startable.length > 0) wrong.push({ startable });
  }

  /** The ids of what may come twice after a stop. */
  #mayRepeat(): number[] {
    if (this.#kind.keeps) return [...this.#running.values()].map(({ updateId }) => updateId);
    const firstOpen = this.#batch.findIndex(({ serial }) => !this.#settled.has(serial));
    const rest = firstOpen === -1 ? [] : this.#batch.slice(firstOpen);
    return rest.filter(({ serial }) => this.#begun.includes(serial)).map(({ update_id }) => update_id);
  }

  /** What Telegram has forgotten is safe from coming again, whichever inbox. */
  #passed(): void {
    const waiting = new Set(this.#world.queue.answer(undefined).map(({ serial }) => serial));
    const oldest = Math.min(...waiting, Number.POSITIVE_INFINITY);
    for (const [serial, fate] of this.#world.fates)
      if (serial < oldest && fate.state === 'settled' && !this.#kind.keeps) fate.state = 'safe';
  }

  #makeSafe(): void {
    for (const fate of this.#world.fates.values()) if (fate.state === 'settled') fate.state = 'safe';
  }
}

async function play(
  kind: Kind,
  commands: readonly Command[],
  { listenerThrows = false } = {},
): Promise<World> {
  const world = new World({ listenerThrows });
  const { disk, queue, fates } = world;
  let life = new Life(kind, world);
  await life.begins();
  const rebirth = async () => {
    for (const fate of fates.values()) {
      if (fate.state === 'running') fate.state = 'new';
      if (fate.state === 'settled') fate.state = 'unsure';
    }
    world.syncsHeld = false;
    queue.now += life.lastedMs;
    life = new Life(kind, world);
    await life.begins();
  };
  for (const command of commands) {
    switch (command.does) {
      case 'arrive':
        for (const { serial, key } of queue.arrive(command.keys, command.jumpTo))
          fates.set(serial, { key, begun: 0, state: 'new' });
        break;
      case 'poll':
        await life.poll();
        break;
      case 'take':
        await life.take(command.most);
        break;
      case 'end':
        await life.end(command.key, 'handled');
        break;
      case 'throw':
        await life.end(command.key, 'failed');
        break;
      case 'put back':
        await life.putBack(command.key, command.delayMs);
        break;
      case 'commit':
        await life.commit();
        break;
      case 'hold syncs':
        disk.holdSyncs = true;
        world.syncsHeld = true;
        break;
      case 'release syncs':
        disk.releaseSyncs();
        world.syncsHeld = false;
        await settle();
        break;
      case 'stop':
        await life.stop(command);
        await rebirth();
        break;
      case 'kill':
        disk.kill();
        await kind.kill?.(world);
        await rebirth();
        break;
      case 'cut power': {
        let turn = 0;
        disk.cutPower(() => command.seed[turn++ % command.seed.length] ?? 0);
        await rebirth();
      }
    }
    life.check();
    expect(world.wrong).toEqual([]);
  }

  // In the end all that was ever sent is handled.
  disk.releaseSyncs();
  world.syncsHeld = false;
  for (let round = 0; round < 60; round++) {
    await life.poll();
    await life.handleAll();
    await life.commit();
    life.check();
  }
  await life.stop({ cuts: false, polls: false });
  expect(world.wrong).toEqual([]);
  expect([...fates.values()].filter(({ state }) => state !== 'safe' && state !== 'unsure')).toEqual([]);
  return world;
}

const key = fc.constantFrom('a', 'b', 'c');
const plain = (does: 'poll' | 'commit' | 'kill' | 'hold syncs' | 'release syncs') =>
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
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('take' as const), most: fc.integer({ min: 0, max: 4 }) }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('end' as const), key }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('throw' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('put back' as const),
      key,
      delayMs: fc.constantFrom(0, 10, 50),
    }),
  },
  { weight: 2, arbitrary: plain('commit') },
  { weight: 1, arbitrary: plain('hold syncs') },
  { weight: 2, arbitrary: plain('release syncs') },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('stop' as const), cuts: fc.boolean(), polls: fc.boolean() }),
  },
  { weight: 1, arbitrary: plain('kill') },
);
const powerCut = fc.record({
  does: fc.constant('cut power' as const),
  seed: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 12,
  }),
});
const withPowerCuts = fc.oneof({ weight: 24, arbitrary: command }, { weight: 1, arbitrary: powerCut });
const withoutSyncs = command.filter(({ does }) => does !== 'hold syncs');
/** A database's clock goes on by itself, so that what a delay ends before or after differs from play to play. */
const withoutDelays = withoutSyncs.map((one) => (one.does === 'put back' ? { ...one, delayMs: 0 } : one));
const storiesOf = (commands: fc.Arbitrary<Command>) => fc.array(commands, { maxLength: 80, size: 'max' });

const RUNS = Number(process.env['MODEL_RUNS'] ?? 300);

const journals = [
  ['journal', journal('power'), withPowerCuts],
  ['journal without syncs', journal('process'), command],
] as const;

describe.each([['memory', memory, command], ...journals] as const)(
  'the inbox: %s',
  (_name, kind, commands) => {
    it('loses nothing, repeats only what was not safe, and lets nothing wait that could start', async () => {
      let repeated = 0;
      let all = 0;
      await fc.assert(
        fc.asyncProperty(storiesOf(commands), async (story) => {
          const fates = [...(await play(kind, story)).fates.values()];
          all += fates.length;
          repeated += fates.filter(({ begun }) => begun > 1).length;
        }),
        { numRuns: RUNS },
      );
      // The stories were not all tame.
      expect(all).toBeGreaterThan(500);
      expect(repeated).toBeGreaterThan(5);
    }, 120_000);
  },
);

describe('the inbox: postgres', () => {
  beforeAll(async () => {
    server = await PostgresServer.start();
    database = await server.createDatabase();
  }, 60_000);
  afterAll(() => server?.stop());

  it('loses nothing, repeats only what was not safe, and lets nothing wait that could start', async () => {
    let repeated = 0;
    await fc.assert(
      fc.asyncProperty(storiesOf(withoutSyncs), async (story) => {
        const fates = [...(await play(postgres, story)).fates.values()];
        repeated += fates.filter(({ begun }) => begun > 1).length;
      }),
      { numRuns: Math.ceil(RUNS / 20), interruptAfterTimeLimit: 100_000 },
    );
    expect(repeated).toBeGreaterThan(5);
  }, 120_000);

  it('goes its way whatever its listener throws', async () => {
    let events = 0;
    await fc.assert(
      fc.asyncProperty(storiesOf(withoutDelays), async (story) => {
        const quiet = await play(postgres, story);
        const throwing = await play(postgres, story, { listenerThrows: true });
        expect(throwing.trace).toEqual(quiet.trace);
        events += throwing.events;
      }),
      { numRuns: Math.ceil(RUNS / 60), interruptAfterTimeLimit: 100_000 },
    );
    expect(events).toBeGreaterThan(5);
  }, 120_000);
});

describe.each(journals)('the inbox: %s', (_name, kind, commands) => {
  it('goes its way whatever its listener throws', async () => {
    let events = 0;
    await fc.assert(
      fc.asyncProperty(storiesOf(commands), async (story) => {
        const quiet = await play(kind, story);
        const throwing = await play(kind, story, { listenerThrows: true });
        expect([throwing.trace, throwing.events]).toEqual([quiet.trace, quiet.events]);
        events += throwing.events;
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
    expect(events).toBeGreaterThan(50);
  }, 120_000);
});
