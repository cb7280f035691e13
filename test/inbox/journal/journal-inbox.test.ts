import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import type { Entry, Inbox, Settlement } from '../../../src/inbox/inbox.js';
import { JournalInbox } from '../../../src/inbox/journal/journal-inbox.js';
import type { JournalOptions } from '../../../src/inbox/journal/opening.js';
import { heartbeatPath } from '../../../src/inbox/store/owner.js';
import {
  answerPath,
  type InboxRequest,
  parseAnswer,
  requestPath,
} from '../../../src/inbox/store/requests.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { MemoryDisk } from '../log/memory-disk.js';

/** What another process writes when it takes the inbox over. */
const otherHeartbeat = JSON.stringify({ place: 'elsewhere', id: 'another process', beats: 1 });

interface Update {
  readonly update_id: number;
  readonly chat: string;
  text: string;
}

const folder = '/state/inbox';
const NOW = 1_700_000_000_000;

const updateOf = (id: number, chat = `chat ${id}`): Update => ({
  update_id: id,
  chat,
  text: `text of ${id}`,
});
const batchOf = (...ids: number[]): Update[] => ids.map((id) => updateOf(id));

/** One process with its inbox; `disk` outlives it. */
class Life {
  readonly clock = new FakeClock();
  readonly events: InboxEvent[] = [];
  /** All that was taken, in that order. */
  readonly taken: Entry<Update>[] = [];
  /** How often something was told to be available. */
  told = 0;
  readonly inbox: Inbox<Update>;
  readonly disk: MemoryDisk;

  constructor(disk: MemoryDisk, options: Partial<JournalOptions<Update>> = {}) {
    this.disk = disk;
    this.inbox = new JournalInbox<Update>({
      folder,
      bot: '1-a',
      durability: 'power',
      maxAttempts: 3,
      concurrency: 2,
      limit: 1_000,
      holder: { place: 'here', id: `process ${Math.random()}` },
      keyOf: ({ chat }) => chat,
      kindOf: () => 'message',
      available: () => this.told++,
      clock: this.clock,
      restore: (content) => content as Update,
      errorText: String,
      emit: (event) => this.events.push(event),
      disk: disk.mount(),
      now: () => NOW + this.clock.now(),
      systemNow: () => NOW + this.clock.now(),
      ...options,
    });
  }

  static async open(disk = new MemoryDisk(), options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
    const life = new Life(disk, options);
    await life.inbox.open();
    return life;
  }

  async accept(batch: readonly Update[]): Promise<number | undefined> {
    const offset = await this.inbox.accept(batch);
    await settle();
    return offset;
  }

  /** Takes as many as there are, or at most so many, and gives their ids. */
  take(most = 100): number[] {
    const taken = this.inbox.take(most);
    this.taken.push(...taken);
    return taken.map(({ updateId }) => updateId);
  }

  entry(id: number): Entry<Update> {
    const found = this.taken.findLast(({ updateId }) => updateId === id);
    if (!found) throw new Error(`${id} was not taken`);
    return found;
  }

  settle(id: number, result: Settlement = 'handled', error?: unknown): void {
    this.inbox.settle(this.entry(id), result, error);
  }

  /** Takes the next updates, which have to be these, and settles them. */
  async handle(...ids: number[]): Promise<void> {
    expect(this.take(ids.length)).toEqual(ids);
    for (const id of ids) this.settle(id);
    await settle();
  }

  /** Handles all that is there, one after another, and gives the ids in that order. */
  handleAll(): number[] {
    const handled: number[] = [];
    for (let [id] = this.take(1); id !== undefined; [id] = this.take(1)) {
      handled.push(id);
      this.settle(id);
    }
    return handled;
  }

  /** Once what was settled is safe. */
  async commit(): Promise<void> {
    await this.clock.advance(20);
  }

  eventsOf<N extends InboxEvent['event']>(name: N) {
    return this.events.filter((event): event is Extract<InboxEvent, { event: N }> => event.event === name);
  }

  /** Asks as another process does, and gives the answer. */
  async ask(action: InboxRequest['action'], ...seqs: number[]) {
    this.disk.replace(requestPath(folder, 'r'), JSON.stringify({ action, seqs }));
    await this.clock.advance(500);
    // What is tried again waits until it is safe.
    await this.clock.advance(20);
    return parseAnswer(this.disk.read(answerPath(folder, 'r')).toString());
  }

  stop(cause?: 'stop' | 'fault') {
    this.inbox.drain();
    return this.inbox.close(cause);
  }

  /** The next process, after a kill. */
  async killed(options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
    this.disk.kill();
    return Life.open(this.disk, options);
  }
}

/** The next process, after a clean stop. */
async function stopped(life: Life, options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
  await life.stop();
  return life.killed(options);
}

describe('a long request', () => {
  it('keeps nothing waiting: what is tried again may start before the rest of the request is carried out', async () => {
    const retriedWhenTold: number[] = [];
    const life: Life = await Life.open(new MemoryDisk(), {
      concurrency: 1_000,
      available: () => retriedWhenTold.push(life.inbox.counts.recovered),
    });
    const ids = Array.from({ length: 600 }, (_, index) => index + 1);
    for (let from = 0; from < ids.length; from += 100)
      await life.accept(batchOf(...ids.slice(from, from + 100)));
    for (const id of life.take(600)) life.settle(id, 'failed', new Error('no'));
    await life.commit();
    retriedWhenTold.length = 0;
    await life.ask('retry', ...ids);
    expect(retriedWhenTold).toEqual(expect.arrayContaining([250, 500, 600]));
  });
});

describe('an inbox that another process has taken over', () => {
  it('confirms no batch that was made safe meanwhile', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(2));
    await settle();
    life.disk.replace(heartbeatPath(folder), otherHeartbeat);
    life.disk.releaseSyncs();
    await expect(accepted).rejects.toMatchObject({ code: 'INBOX_IN_USE' });
    expect(life.eventsOf('inbox.failed')).toMatchObject([{ error: { code: 'INBOX_IN_USE' } }]);
  });

  it('hands out nothing after a standstill, also where an old answer of the server has set the time back', async () => {
    const system = { ms: NOW };
    const life = await Life.open(undefined, { now: () => NOW, systemNow: () => system.ms });
    await life.accept(batchOf(1));
    system.ms += 120_000;
    life.disk.replace(heartbeatPath(folder), otherHeartbeat);
    expect(life.take()).toEqual([]);
    expect(life.eventsOf('inbox.failed')).toMatchObject([{ error: { code: 'INBOX_IN_USE' } }]);
  });

  it('says what it held where its folder was removed', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    life.take(1);
    life.disk.remove(heartbeatPath(folder));
    await expect(life.inbox.accept(batchOf(4))).rejects.toMatchObject({
      code: 'INBOX_REMOVED',
      message: expect.stringContaining('It held 4 updates that were not done with, 1 of them at work'),
    });
  });
});

describe('an update', () => {
  it('can be taken while the disk makes it safe, and confirmed once it is', async () => {
    const life = await Life.open();
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(7, 8));
    let confirmable = false;
    void accepted.then(() => (confirmable = true));
    const { told } = life;
    await settle();
    expect([life.told, life.inbox.hasReady]).toEqual([told + 1, true]);
    expect(life.take()).toEqual([7, 8]);
    expect(confirmable).toBe(false);
    life.disk.releaseSyncs();
    expect(await accepted).toBe(9);
    expect(life.taken).toMatchObject([
      { updateId: 7, key: 'chat 7', kind: 'message', attempt: 1, update: updateOf(7) },
      { updateId: 8, key: 'chat 8', kind: 'message', attempt: 1, update: updateOf(8) },
    ]);
  });

  it('is told of only once the sync is under way, which its handler might hold up', async () => {
    const life = await Life.open();
    const { told } = life;
    const accepted = life.inbox.accept(batchOf(7));
    await Promise.resolve();
    expect(life.told).toBe(told);
    await accepted;
    await settle();
    expect(life.told).toBe(told + 1);
  });

  it('leaves the event loop its turns while the disk syncs, for the sync to be heard', async () => {
    const groups = async (durability: 'power' | 'process') => {
      const sizes: number[] = [];
      const available = () => {
        if (life.inbox.hasReady) sizes.push(life.inbox.take(64).length);
      };
      const life: Life = await Life.open(new MemoryDisk(), { durability, available: () => opened() });
      const opened = available;
      life.disk.holdSyncs = true;
      const accepted = life.inbox.accept(batchOf(...Array.from({ length: 60 }, (_, turn) => 7 + turn)));
      for (let times = 0; times < 3; times++) await settle();
      life.disk.releaseSyncs();
      await accepted;
      return sizes;
    };
    expect(await groups('power')).toEqual([25, 25, 10]);
    expect(await groups('process')).toEqual([60]);
  });

  it('waits for the one ahead of it in its chat, whatever others do', async () => {
    const life = await Life.open();
    await life.accept([updateOf(1, 'a'), updateOf(2, 'a'), updateOf(3, 'b'), updateOf(4, 'a')]);
    expect([life.take(), life.inbox.hasReady]).toEqual([[1, 3], false]);
    life.settle(3);
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    life.settle(1, 'failed');
    expect([life.inbox.hasReady, life.take()]).toEqual([true, [2]]);
    life.settle(2, 'timed-out');
    expect(life.take()).toEqual([4]);
  });

  it('that was not settled comes again after a kill, what was settled 20 ms before does not', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    await life.handle(1);
    await life.commit();
    life.take(1);
    const next = await life.killed();
    expect(next.inbox.counts).toMatchObject({ recovered: 2, waiting: 2, taken: 0 });
    next.take();
    expect(next.taken).toMatchObject([
      { updateId: 2, attempt: 2 },
      { updateId: 3, attempt: 1 },
    ]);
    expect(next.eventsOf('inbox.recovered')).toEqual([
      { event: 'inbox.recovered', updates: 2, begun: 1, died: 1 },
    ]);
    expect(next.inbox.counts).toMatchObject({ recovered: 2, waiting: 0, taken: 2, mayRepeat: 2 });
  });

  it('that was settled 20 ms before a power cut does not come again', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    await life.handle(1);
    await life.commit();
    life.disk.cutPower(() => 0);
    expect((await life.killed()).take()).toEqual([2]);
  });

  it('is kept as it was written, whatever its handler makes of it', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.take();
    life.entry(1).update.text = 'changed';
    life.settle(1, 'failed', new Error('thrown'));
    await life.ask('retry', 1);
    expect(life.take()).toEqual([1]);
    expect(life.entry(1).update).toEqual(updateOf(1));
  });

  it('is taken once, and settled once', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    expect([life.take(), life.take()]).toEqual([[1], []]);
    life.inbox.settle({ ...life.entry(1) }, 'handled');
    expect(life.inbox.counts).toMatchObject({ handled: 0, taken: 1 });
    life.settle(1);
    life.settle(1);
    expect(life.take()).toEqual([]);
    expect(life.inbox.counts).toMatchObject({ handled: 1, waiting: 0, taken: 0 });
  });

  it('that an earlier run left comes before those that arrive', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    const next = await life.killed();
    expect(next.inbox.hasReady).toBe(true);
    await next.accept(batchOf(2));
    expect(next.take()).toEqual([1, 2]);
  });

  it('cannot be taken before the inbox is open', async () => {
    const life = new Life(new MemoryDisk());
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    await life.inbox.open();
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
  });
});

describe('what Telegram sends again', () => {
  it('is taken once: within a batch, after it, after a restart', async () => {
    const life = await Life.open();
    expect(await life.accept([...batchOf(1, 2), updateOf(2)])).toBe(3);
    await life.handle(1);
    await life.commit();
    // The confirm did not arrive.
    life.disk.kill();
    const next = await Life.open(life.disk);
    expect(await next.accept(batchOf(1, 2, 3))).toBe(4);
    expect(next.take()).toEqual([2, 3]);
    expect([...life.eventsOf('inbox.repeated'), ...next.eventsOf('inbox.repeated')]).toEqual([
      { event: 'inbox.repeated', updates: 1 },
      { event: 'inbox.repeated', updates: 2 },
    ]);
    expect(next.inbox.counts).toMatchObject({ accepted: 1, recovered: 1 });
  });

  it('is another update once an offset has passed its id', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    await life.accept(batchOf(9_000));
    await life.accept(batchOf(1));
    expect(life.handleAll()).toEqual([1, 2, 9_000, 1]);
  });

  it('is known, although the system clock was set forward meanwhile', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.disk.kill();
    let aheadMs = 0;
    const next = await Life.open(life.disk, { now: () => NOW + aheadMs });
    aheadMs = 365 * 24 * 60 * 60 * 1_000;
    await next.accept(batchOf(1));
    expect(next.eventsOf('inbox.repeated')).toEqual([{ event: 'inbox.repeated', updates: 1 }]);
  });

  it('is another update after a day', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    const next = await stopped(life, { now: () => NOW + 25 * 60 * 60 * 1_000 });
    await next.accept(batchOf(1));
    expect(next.handleAll()).toEqual([1, 1]);
  });
});

describe('marks', () => {
  it('of all that are taken in one go are one record, on the disk before any handler runs', async () => {
    const life = await Life.open(new MemoryDisk(), { durability: 'process' });
    await life.accept(batchOf(1, 2, 3));
    const sizes = () =>
      life.disk
        .paths()
        .map((path) => life.disk.read(path).length)
        .reduce((a, b) => a + b);
    const before = sizes();
    life.take();
    expect(sizes() - before).toBeLessThan(60);
    const next = await life.killed();
    next.take();
    expect(next.taken.map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
  });

  it('share a sync', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3, 4));
    const { syncs } = life.disk;
    await life.handle(1, 2);
    await life.handle(3, 4);
    await life.commit();
    expect(life.disk.syncs).toBe(syncs + 1);
  });
});

describe('a poison', () => {
  const ids = [1, 2, 3, 4, 5];

  /** Starts again and again; all that can be taken runs side by side, and the poison kills the process. */
  async function livesOf(maxAttempts: number, lives: number) {
    let life = await Life.open(new MemoryDisk(), { maxAttempts });
    await life.accept(batchOf(...ids));
    const stories: number[][] = [];
    for (let round = 0; round < lives; round++) {
      const begun: number[] = [];
      for (let now = life.take(); now.length > 0; now = life.take()) {
        begun.push(...now);
        if (now.includes(3)) break;
        for (const id of now) life.settle(id);
      }
      await life.commit();
      stories.push(begun);
      if (!begun.includes(3)) break;
      life = await life.killed({ maxAttempts });
    }
    return { stories, life };
  }

  it('goes to the dead letters after its third death, and takes nobody with it', async () => {
    const { stories, life } = await livesOf(3, 10);
    expect(stories).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
      [1, 2, 3],
      [4, 5],
    ]);
    expect(life.eventsOf('inbox.dead')).toEqual([
      { event: 'inbox.dead', updateId: 3, kind: 'message', why: 'died', attempts: 3, deaths: 3, cuts: 0 },
    ]);
    expect(life.inbox.counts).toMatchObject({ dropped: 1, handled: 2, waiting: 0 });
  });

  it('is isolated after its first death where two are allowed', async () => {
    const { stories, life } = await livesOf(2, 10);
    expect(stories).toEqual([
      [1, 2, 3, 4, 5],
      [1, 2, 3],
      [4, 5],
    ]);
    expect(life.eventsOf('inbox.dead').map(({ updateId }) => updateId)).toEqual([3]);
  });

  it('takes those beside it along where one is allowed: nobody knows which it was', async () => {
    const { stories, life } = await livesOf(1, 10);
    expect(stories).toEqual([[1, 2, 3, 4, 5], []]);
    expect(life.eventsOf('inbox.dead').map(({ updateId }) => updateId)).toEqual(ids);
  });

  it('is tried for ever where that is what was asked for', async () => {
    const { stories, life } = await livesOf(0, 6);
    expect(stories).toHaveLength(6);
    expect(life.eventsOf('inbox.dead')).toEqual([]);
    life.take();
    expect(life.entry(3).attempt).toBe(7);
  });

  it('is also what as many stops in a row have cut, which is said', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1, 2));
    for (let round = 1; round <= 3; round++) {
      life.take(1);
      expect(life.entry(1).attempt).toBe(round);
      expect(await life.stop('stop')).toEqual({ left: 2, mayRepeat: [1] });
      life = await life.killed();
    }
    expect(life.take()).toEqual([2]);
    expect(life.eventsOf('inbox.recovered')).toMatchObject([{ begun: 1, died: 0 }]);
    expect(life.eventsOf('inbox.dead')).toMatchObject([{ updateId: 1, why: 'cut', attempts: 3 }]);
  });

  it('counts as one on which the process died where the stop that had begun ends in a fault', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1, 2));
    for (let round = 1; round <= 3; round++) {
      life.take(1);
      await life.stop('fault');
      life = await life.killed();
    }
    expect(life.eventsOf('inbox.dead')).toMatchObject([{ updateId: 1, why: 'died', attempts: 3 }]);
  });

  it('is not what was put back in between', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1));
    for (let round = 1; round <= 4; round++) {
      life.take(1);
      await life.stop('stop');
      life = await life.killed();
      if (round !== 2) continue;
      life.take(1);
      life.inbox.putBack(life.entry(1), { delayMs: 0, isRetry: false });
      await life.clock.advance(1);
    }
    expect(life.take()).toEqual([1]);
    expect(life.eventsOf('inbox.dead')).toEqual([]);
  });

  it('may be what a fault has cut', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1, 2));
    for (let round = 0; round < 3; round++) {
      life.take(1);
      await life.stop('fault');
      life = await life.killed();
    }
    expect(life.take()).toEqual([2]);
    expect(life.eventsOf('inbox.dead')).toMatchObject([{ updateId: 1, attempts: 3 }]);
  });

  it('is not what was loaded and not taken', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1));
    for (let round = 0; round < 5; round++) {
      life = await life.killed();
      expect([life.inbox.take(0), life.inbox.hasReady]).toEqual([[], true]);
    }
    life.take();
    expect(life.taken).toMatchObject([{ updateId: 1, attempt: 1 }]);
  });
});

describe('an update that failed', () => {
  it('is settled, and kept with its error', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.take();
    life.settle(1, 'failed', new Error('thrown'));
    life.settle(2, 'timed-out', new Error('too long'));
    expect(life.eventsOf('inbox.dead')).toMatchObject([
      { updateId: 1, why: 'failed', attempts: 1 },
      { updateId: 2, why: 'timed-out', attempts: 1 },
    ]);
    expect(life.inbox.counts).toMatchObject({ failed: 1, timedOut: 1, waiting: 0 });
    expect((await stopped(life)).take()).toEqual([]);
  });

  it('is settled when the process was killed before that was written', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.take(1);
    life.settle(1, 'failed', new Error('thrown'));
    const next = await life.killed();
    expect(next.take()).toEqual([2]);
    await next.ask('drop', 1);
    expect((await next.killed()).take()).toEqual([2]);
  });

  it('can be tried again, and is counted anew', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.take();
    life.settle(1, 'failed', new Error('thrown'));
    const { told } = life;
    expect(await life.ask('retry', 1, 1, 5)).toEqual({ done: [1], refused: [5] });
    expect([life.told > told, life.inbox.hasReady]).toEqual([true, true]);
    expect(life.inbox.counts).toMatchObject({ recovered: 1, waiting: 1 });
    expect(life.take()).toEqual([1]);
    expect(life.taken).toMatchObject([{ updateId: 1 }, { updateId: 1, attempt: 1 }]);
    expect(life.eventsOf('inbox.requested')).toMatchObject([
      { action: 'retry', updates: 1, ids: [1], refused: 1 },
    ]);
    const next = await life.killed();
    expect(next.take()).toEqual([1]);
    // It is done already, and not done twice.
    expect(await next.ask('retry', 1)).toEqual({ done: [1], refused: [] });
    expect(next.take()).toEqual([]);
  });
});

describe('a request to drop', () => {
  it('takes what waits, loaded or not, and never what runs', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    life.take(1);
    expect(await life.ask('drop', 1, 2, 99)).toEqual({ done: [2], refused: [1, 99] });
    expect(life.take()).toEqual([3]);
    expect(life.inbox.counts).toMatchObject({ dropped: 1, waiting: 0, taken: 2 });
    life.settle(1);
    expect((await stopped(life)).take()).toEqual([3]);
  });

  it('lets the chat of what it takes go on', async () => {
    const life = await Life.open();
    await life.accept([1, 2, 3, 4].map((id) => updateOf(id, 'a')));
    life.take();
    await life.ask('drop', 2, 3);
    expect(life.take()).toEqual([]);
    life.settle(1);
    expect([life.inbox.hasReady, life.take()]).toEqual([true, [4]]);
  });

  it('of all that is loaded lets what waits on disk go on', async () => {
    const life = await Life.open(new MemoryDisk(), { limit: 10_000 });
    let id = 0;
    for (let batch = 0; batch < 11; batch++)
      await life.accept(Array.from({ length: 100 }, () => updateOf(++id)));
    await life.ask('drop', ...Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(life.inbox.hasReady).toBe(true);
    expect(life.take(3)).toEqual([1_001, 1_002, 1_003]);
  });

  it('is heard before anything can be taken', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.disk.kill();
    life.disk.replace(requestPath(folder, 'r'), '{"action":"drop","seqs":[1]}');
    const next = await Life.open(life.disk);
    expect(next.take()).toEqual([2]);
  });

  it('takes a dead letter for good', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.take();
    life.settle(1, 'failed', 'thrown');
    expect(await life.ask('drop', 1)).toEqual({ done: [1], refused: [] });
    const next = await life.killed();
    expect(await next.ask('retry', 1)).toEqual({ done: [], refused: [1] });
  });
});

describe('back-pressure', () => {
  it('stops at the limit, and goes on when a tenth has gone', async () => {
    const life = await Life.open(new MemoryDisk(), { limit: 10 });
    await life.accept(batchOf(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    let offset: number | undefined;
    const accepted = life.inbox.accept(batchOf(11)).then((given) => {
      offset = given;
    });
    await life.commit();
    expect(life.eventsOf('inbox.paused')).toMatchObject([{ because: 'updates', waiting: 10 }]);
    await life.handle(1);
    await life.commit();
    expect(offset).toBeUndefined();
    await life.handle(2);
    await accepted;
    expect(offset).toBe(12);
    expect(life.eventsOf('inbox.resumed')).toMatchObject([{ waiting: 8, pausedMs: 40 }]);
    await settle();
    expect(life.take()).toContain(11);
  });

  it('stops before the disk is full, and goes on by itself', async () => {
    const life = await Life.open();
    life.disk.free = 1_000_000;
    const accepted = life.inbox.accept(batchOf(1));
    await life.clock.advance(5_000);
    expect(life.eventsOf('inbox.paused')).toMatchObject([{ because: 'disk', freeBytes: 1_000_000 }]);
    expect(life.take()).toEqual([]);
    life.disk.free = 1_000_000_000;
    await life.clock.advance(1_500);
    expect(await accepted).toBe(2);
  });

  it('gives way to a stop: the batch stays with Telegram', async () => {
    const life = await Life.open(new MemoryDisk(), { limit: 1 });
    await life.accept(batchOf(1));
    const accepted = life.inbox.accept(batchOf(2));
    await settle();
    expect(await life.stop()).toEqual({ left: 1, mayRepeat: [] });
    expect(await accepted).toBeUndefined();
    expect(life.clock.pending).toBe(0);
  });

  it('never makes settle throw, whatever the disk says', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.take();
    life.disk.free = 0;
    await life.clock.advance(1_000);
    const accepted = expect(life.inbox.accept(batchOf(2))).rejects.toMatchObject({ code: 'INBOX_DISK' });
    await settle();
    life.disk.fail('freeBytes', 'EIO');
    await life.clock.advance(400);
    life.clock.skip(1_000);
    expect(() => life.settle(1)).not.toThrow();
    await accepted;
    expect(life.eventsOf('inbox.failed')).toHaveLength(1);
  });
});

describe('a fault of the disk', () => {
  it.each([
    ['append', 'ENOSPC'],
    ['append', 'EROFS'],
    ['sync', 'EIO'],
    ['create', 'EMFILE'],
  ] as const)('on accepting (%s %s): nothing is confirmed, and nothing goes on', async (operation, code) => {
    const life = await Life.open(new MemoryDisk(), { segmentBytes: 100 });
    await life.accept(batchOf(1, 2));
    life.take(1);
    life.disk.fail(operation, code);
    await expect(life.inbox.accept(batchOf(3))).rejects.toMatchObject({
      code: 'INBOX_DISK',
      message: expect.stringContaining(code),
    });
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    life.settle(1);
    expect(life.inbox.counts).toMatchObject({ handled: 0, taken: 1 });
    life.disk.mend();
    await expect(life.inbox.accept(batchOf(3))).rejects.toMatchObject({ code: 'INBOX_DISK' });
    await life.clock.advance(2_000);
    expect(life.eventsOf('inbox.failed')).toHaveLength(1);
    expect(await life.stop('fault')).toMatchObject({ mayRepeat: [1] });
    expect(life.clock.pending).toBe(0);
    expect(life.disk.open).toBe(0);

    const next = await life.killed();
    expect(next.eventsOf('inbox.damaged')).toEqual([]);
    expect(next.take(2)).toEqual([1, 2]);
  });

  it('on marking: the handler does not run', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.disk.fail('append', 'ENOSPC');
    expect(life.take()).toEqual([]);
    expect(life.eventsOf('inbox.failed')).toMatchObject([{ error: { code: 'INBOX_DISK' } }]);
    life.disk.mend();
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    expect(await life.stop('fault')).toMatchObject({ mayRepeat: [] });
    const next = await life.killed();
    next.take();
    expect(next.taken).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
  });

  it('on reading what is to be handled: nothing is handed out, and nothing is lost', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    const next = await life.killed();
    life.disk.fail('read', 'EIO');
    expect(next.take()).toEqual([]);
    expect(next.eventsOf('inbox.failed')).toHaveLength(1);
    life.disk.mend();
    expect((await next.killed()).take()).toEqual([1, 2]);
  });

  it('on settling, reading, cleaning or answering: said once, and never thrown', async () => {
    const faults: [
      operation: 'append' | 'sync' | 'read' | 'replace',
      after: (life: Life) => Promise<void>,
    ][] = [
      ['append', async (life) => life.settle(1)],
      ['sync', async (life) => life.settle(1)],
      ['read', async (life) => life.settle(1, 'failed', 'thrown')],
      ['replace', async (life) => life.clock.advance(6_000)],
    ];
    for (const [operation, work] of faults) {
      const life = await Life.open();
      await life.accept(batchOf(1));
      life.take();
      life.disk.fail(operation, 'EIO');
      await work(life);
      await life.clock.advance(1_000);
      expect([operation, life.eventsOf('inbox.failed').length]).toEqual([operation, 1]);
      await life.stop('fault');
    }
  });

  it('on opening: rejects, and leaves the store to others', async () => {
    const life = await Life.open(new MemoryDisk(), { segmentBytes: 100 });
    for (let id = 1; id <= 3; id++) await life.accept(batchOf(id));
    life.disk.kill();
    // Not the first one: that is read before anything is taken.
    const last = life.disk.paths().findLast((path) => path.endsWith('.log')) ?? '';
    life.disk.fail('read', 'EIO', { at: last });
    const next = new Life(life.disk, { holder: { place: 'there', id: 'next' } });
    const opening = expect(next.inbox.open()).rejects.toMatchObject({ code: 'INBOX_DISK' });
    await next.clock.advance(20_000);
    await opening;
    expect(life.disk.paths()).not.toContain(`${folder}/owner.json`);
    expect(await next.stop()).toEqual({ left: 0, mayRepeat: [] });
    expect(next.inbox.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('whose store it is', () => {
  it('is known before anything is handed out, where the process stood still meanwhile', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    life.clock.skip(12_000);
    expect(life.take()).toEqual([]);
    expect(life.eventsOf('inbox.failed')).toMatchObject([{ error: { code: 'INBOX_IN_USE' } }]);
  });

  it('a second process ends the first, which then touches nothing', async () => {
    const disk = new MemoryDisk();
    const life = await Life.open(disk, { segmentBytes: 100 });
    for (let id = 1; id <= 5; id++) await life.accept(batchOf(id));
    await life.clock.advance(4_999);
    disk.replace(`${folder}/owner.json`, '{"place":"here","id":"another"}');
    // Now there would be something to write, and segments to remove.
    await life.handle(1, 2, 3, 4, 5);
    const contents = () => disk.paths().map((path) => [path, disk.read(path)]);
    const before = contents();
    await life.clock.advance(2_000);
    expect(life.eventsOf('inbox.failed')).toMatchObject([{ error: { code: 'INBOX_IN_USE' } }]);
    expect(life.take()).toEqual([]);
    await life.stop('fault');
    expect(contents()).toEqual(before);
  });

  it('another bot’s is refused', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.disk.kill();
    const files = () => life.disk.paths().map((path) => [path, life.disk.read(path).toString()]);
    const before = files();
    const other = new Life(life.disk, { bot: '2-b' });
    await expect(other.inbox.open()).rejects.toMatchObject({ code: 'INBOX_FOREIGN' });
    expect(files()).toEqual(before);
    expect((await life.killed()).take()).toEqual([1]);
  });

  it('a damaged one is mended, and that is said', async () => {
    const life = await Life.open();
    for (let id = 1; id <= 5; id++) await life.accept(batchOf(id));
    await life.stop();
    const [segment = ''] = life.disk.paths().filter((path) => path.endsWith('.log'));
    life.disk.damage(segment, 300);
    const next = await life.killed();
    expect(next.eventsOf('inbox.damaged')).toMatchObject([
      { saved: 4, path: expect.stringContaining('log.damaged-') },
    ]);
    expect(next.take()).toHaveLength(4);
  });
});

describe('a stop', () => {
  it('while it waits for another owner’s sign of life ends the opening', async () => {
    const disk = new MemoryDisk();
    disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    const life = new Life(disk);
    const stop = new AbortController();
    const opening = life.inbox.open(stop.signal);
    await settle();
    stop.abort(new Error('stopped'));
    await expect(opening).rejects.toThrow('stopped');
    expect(await life.stop()).toEqual({ left: 0, mayRepeat: [] });
    expect(life.clock.pending).toBe(0);
  });

  it.each(['drain', 'close'] as const)(
    'while it opens the store leaves nothing open (%s comes first)',
    async (first) => {
      const disk = new MemoryDisk();
      const before = await Life.open(disk);
      for (let id = 1; id <= 3; id++) await before.accept(batchOf(id));
      disk.kill();
      // To mend it a file is opened.
      disk.damage(`${folder}/log/0000000000000000.log`, 150);
      const life = new Life(disk);
      const opening = life.inbox.open();
      const refused = expect(opening).rejects.toThrow('the inbox was closed while it opened');
      if (first === 'drain') {
        life.inbox.drain();
        await refused;
      }
      const report = life.inbox.close();
      await refused;
      expect(await report).toEqual({ left: 0, mayRepeat: [] });
      expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
      expect(life.clock.pending).toBe(0);
      expect(disk.open).toBe(0);
      expect(disk.paths()).not.toContain(`${folder}/owner.json`);
    },
  );

  it('makes all safe that was settled, hands out nothing more, and says what is left', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    await life.handle(1);
    expect(life.take(1)).toEqual([2]);
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(4));
    await settle();
    life.inbox.drain();
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    const first = life.inbox.close();
    expect(life.inbox.close()).toBe(first);
    life.disk.releaseSyncs();
    expect(await first).toEqual({ left: 3, mayRepeat: [2] });
    expect(await accepted).toBe(5);
    expect(await life.accept(batchOf(5))).toBeUndefined();
    life.inbox.drain();
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    life.settle(2);
    expect(life.inbox.counts).toMatchObject({ handled: 1, waiting: 2, taken: 1, mayRepeat: 1 });
    expect(life.clock.pending).toBe(0);
    life.disk.cutPower(() => 0);
    expect((await life.killed()).take()).toEqual([2, 3, 4]);
  });

  it('lets what is at work settle while it drains, and takes nothing of its chat', async () => {
    const life = await Life.open();
    await life.accept([updateOf(1, 'a'), updateOf(2, 'a')]);
    life.take();
    life.inbox.drain();
    life.settle(1);
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    expect(await life.inbox.close()).toEqual({ left: 1, mayRepeat: [] });
    expect((await life.killed()).take()).toEqual([2]);
  });

  it('makes a batch safe that arrives while it drains, for the next run', async () => {
    const life = await Life.open();
    life.inbox.drain();
    expect(await life.accept(batchOf(1))).toBe(2);
    expect([life.inbox.hasReady, life.take()]).toEqual([false, []]);
    expect(await life.inbox.close()).toEqual({ left: 1, mayRepeat: [] });
    expect((await life.killed()).take()).toEqual([1]);
  });
});

describe('a watchdog', () => {
  it('learns by when the opening has to have made progress', async () => {
    const disk = new MemoryDisk();
    disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    const life = new Life(disk);
    const stop = new AbortController();
    const opening = life.inbox.open(stop.signal);
    expect(life.inbox.latestEnd).toBe(60_000);
    stop.abort(new Error('stopped'));
    await expect(opening).rejects.toThrow('stopped');
    expect(life.inbox.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });

  it('learns by when a sync has to have ended', async () => {
    const life = await Life.open();
    expect(life.inbox.latestEnd).toBe(Number.POSITIVE_INFINITY);
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(1));
    await settle();
    await life.clock.advance(10);
    expect(life.inbox.latestEnd).toBe(60_000);
    life.disk.releaseSyncs();
    await accepted;
    expect(life.inbox.latestEnd).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a backlog', () => {
  it('of any length has a bounded part in memory, and comes in order', async () => {
    let restored = 0;
    const restore = (content: unknown) => {
      restored++;
      return content as Update;
    };
    const life = await Life.open(new MemoryDisk(), { limit: 1_000_000, restore });
    let id = 0;
    for (let batch = 0; batch < 60; batch++)
      await life.accept(Array.from({ length: 100 }, () => updateOf(++id)));
    expect(life.inbox.counts.waiting).toBe(6_000);
    // The first thousand have never left the memory.
    let loaded = 1_000;
    for (let next = 1; next <= 6_000; next++) {
      const before = restored;
      const [entry] = life.inbox.take(1);
      loaded += restored - before;
      if (entry?.updateId !== next || loaded > 1_200) throw new Error(`${next}: ${loaded} are loaded`);
      life.inbox.settle(entry, 'handled');
      loaded--;
    }
    expect(restored).toBe(5_000);
    expect(life.inbox.counts).toMatchObject({ handled: 6_000, waiting: 0 });
  });
});

describe('a listener that throws at every event', () => {
  /** A story in which almost everything is told, and what came of it. */
  async function story(throws: boolean) {
    const told: string[] = [];
    const emit = ({ event }: InboxEvent) => {
      told.push(event);
      if (throws) throw new Error('a fault of the listener');
    };
    const outcomes: unknown[] = [];
    const note = (life: Life, ...more: unknown[]) => outcomes.push(life.inbox.counts, ...more);

    const life = await Life.open(new MemoryDisk(), { emit, limit: 4 });
    note(life, await life.accept([...batchOf(1, 2, 3, 4), updateOf(4)]), life.take(2));
    const accepted = life.inbox.accept(batchOf(5, 6));
    await settle();
    life.settle(1, 'failed', new Error('thrown'));
    life.settle(2);
    note(life, await accepted, await life.ask('drop', 3, 99), await life.ask('retry', 1), life.take());
    await life.commit();
    life.disk.damage(life.disk.paths().findLast((path) => path.endsWith('.log')) ?? '', 150);
    const next = await life.killed({ emit });
    note(next, next.take());
    life.disk.fail('sync', 'EIO');
    note(next, await next.accept(batchOf(7)).catch(String), next.take());
    note(next, await next.stop('fault'), next.clock.pending, life.disk.open);
    return { told, outcomes };
  }

  it('changes nothing', async () => {
    const { told, outcomes } = await story(false);
    expect(new Set(told)).toEqual(
      new Set([
        'inbox.opened',
        'inbox.repeated',
        'inbox.paused',
        'inbox.dead',
        'inbox.resumed',
        'inbox.requested',
        'inbox.damaged',
        'inbox.recovered',
        'inbox.failed',
      ]),
    );
    expect(await story(true)).toEqual({ told, outcomes });
  });
});

describe('the age of the oldest update', () => {
  it('is that of the first that is not settled, also after a restart', async () => {
    const life = await Life.open();
    expect(life.inbox.oldestAtMs?.()).toBeUndefined();
    await life.inbox.accept(batchOf(1, 2));
    await life.clock.advance(1_000);
    await life.inbox.accept(batchOf(3));
    for (const entry of life.inbox.take(1)) life.inbox.settle(entry, 'handled');
    expect(life.inbox.oldestAtMs?.()).toBe(NOW);
    for (const entry of life.inbox.take(1)) life.inbox.settle(entry, 'failed');
    expect(life.inbox.oldestAtMs?.()).toBe(NOW + 1_000);
    await life.inbox.close();
    expect(life.inbox.oldestAtMs?.()).toBeUndefined();

    const next = await Life.open(life.disk);
    expect(next.inbox.oldestAtMs?.()).toBe(NOW + 1_000);
    await next.inbox.close();
  });
});
