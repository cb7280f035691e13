import { describe, expect, it } from '@jest/globals';
import type { InboxEvent } from '../../../src/inbox/events.js';
import type { Entry, Inbox } from '../../../src/inbox/inbox.js';
import { JournalInbox, type JournalOptions } from '../../../src/inbox/journal/journal-inbox.js';
import {
  answerPath,
  type InboxRequest,
  parseAnswer,
  requestPath,
} from '../../../src/inbox/store/requests.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { seqs } from '../../support/ids.js';
import { MemoryDisk } from '../log/memory-disk.js';

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
  readonly delivered: Entry[] = [];
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
      deliver: (entries) => this.delivered.push(...entries),
      clock: this.clock,
      restore: (content) => content as Update,
      errorText: String,
      emit: (event) => this.events.push(event),
      disk: disk.mount(),
      now: () => NOW + this.clock.now(),
      ...options,
    });
  }

  static async open(disk = new MemoryDisk(), options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
    const life = new Life(disk, options);
    await life.inbox.open();
    return life;
  }

  /** What is delivered is so in the turns that follow. */
  async accept(batch: readonly Update[]): Promise<number | undefined> {
    const offset = await this.inbox.accept(batch);
    await settle();
    return offset;
  }

  async resume(): Promise<void> {
    this.inbox.resume();
    await settle();
  }

  entry(id: number): Entry {
    const found = this.delivered.findLast(({ updateId }) => updateId === id);
    if (!found) throw new Error(`${id} was not delivered`);
    return found;
  }

  get ids(): number[] {
    return this.delivered.map(({ updateId }) => updateId);
  }

  begin(...ids: number[]): readonly (Update | undefined)[] {
    return this.inbox.begin(ids.map((id) => this.entry(id)));
  }

  async handle(...ids: number[]): Promise<void> {
    this.begin(...ids);
    for (const id of ids) this.inbox.settle(this.entry(id), 'handled');
    await settle();
  }

  /** Once what was settled is safe. */
  async commit(): Promise<void> {
    await this.clock.advance(20);
  }

  eventsOf<N extends InboxEvent['event']>(name: N) {
    return this.events.filter((event): event is Extract<InboxEvent, { event: N }> => event.event === name);
  }

  /** Asks as another process does, and gives the answer. */
  async ask(request: InboxRequest) {
    this.disk.replace(requestPath(folder, 'r'), JSON.stringify(request));
    await this.clock.advance(500);
    // What is tried again waits until it is safe.
    await this.clock.advance(20);
    return parseAnswer(this.disk.read(answerPath(folder, 'r')).toString());
  }

  /** The next process, after a kill. */
  async killed(options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
    this.disk.kill();
    const next = await Life.open(this.disk, options);
    await next.resume();
    return next;
  }
}

/** The next process, after a clean stop. */
async function stopped(life: Life, options: Partial<JournalOptions<Update>> = {}): Promise<Life> {
  await life.inbox.drained();
  return life.killed(options);
}

describe('an update', () => {
  it('is delivered while the disk makes it safe, and can be confirmed once it is', async () => {
    const life = await Life.open();
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(7, 8));
    let confirmable = false;
    void accepted.then(() => (confirmable = true));
    await settle();
    expect(life.ids).toEqual([7, 8]);
    expect(confirmable).toBe(false);
    life.disk.releaseSyncs();
    expect(await accepted).toBe(9);
    expect(life.delivered).toMatchObject([
      { updateId: 7, key: 'chat 7', kind: 'message', attempt: 1 },
      { updateId: 8, key: 'chat 8', kind: 'message', attempt: 1 },
    ]);
    expect(life.begin(8)).toEqual([updateOf(8)]);
  });

  it('leaves the event loop its turns while the disk syncs, for the sync to be heard', async () => {
    const groups = async (durability: 'power' | 'process') => {
      const sizes: number[] = [];
      const deliver = (entries: readonly Entry[]) => void sizes.push(entries.length);
      const life = await Life.open(new MemoryDisk(), { durability, deliver });
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

  it('that was not settled comes again after a kill, what was settled 20 ms before does not', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    await life.handle(1);
    await life.commit();
    life.begin(2);
    const next = await life.killed();
    expect(next.delivered).toMatchObject([
      { updateId: 2, attempt: 2 },
      { updateId: 3, attempt: 1 },
    ]);
    expect(next.eventsOf('inbox.recovered')).toEqual([
      { event: 'inbox.recovered', updates: 2, begun: 1, died: 1 },
    ]);
    expect(next.inbox.counts).toMatchObject({ recovered: 2, waiting: 2, begun: 0 });
  });

  it('that was settled 20 ms before a power cut does not come again', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    await life.handle(1);
    await life.commit();
    life.disk.cutPower(() => 0);
    expect((await life.killed()).ids).toEqual([2]);
  });

  it('is kept as it was written, whatever its handler makes of it', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    const [update] = life.begin(1);
    if (update) update.text = 'changed';
    life.inbox.settle(life.entry(1), 'failed', new Error('thrown'));
    await life.ask({ action: 'retry', seqs: seqs(1) });
    expect(life.ids).toEqual([1, 1]);
    const [again] = life.inbox.begin([life.delivered[1] as Entry]);
    expect(again).toEqual(updateOf(1));
  });

  it('that is begun twice, or was settled, is nobody’s to handle', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.begin(1);
    expect(life.begin(1)).toEqual([undefined]);
    life.inbox.settle(life.entry(1), 'handled');
    life.inbox.settle(life.entry(1), 'handled');
    expect(life.begin(1)).toEqual([undefined]);
    expect(life.inbox.counts).toMatchObject({ handled: 1, waiting: 0, begun: 0 });
  });

  it('waits for resume after a start', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.disk.kill();
    const next = await Life.open(life.disk);
    expect(next.ids).toEqual([]);
    await next.accept(batchOf(2));
    expect(next.ids).toEqual([1, 2]);
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
    expect(next.ids).toEqual([2, 3]);
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
    await settle();
    expect(life.ids).toEqual([1, 2, 9_000, 1]);
  });

  it('is another update after a day', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    const next = await stopped(life, { now: () => NOW + 25 * 60 * 60 * 1_000 });
    await next.accept(batchOf(1));
    await settle();
    expect(next.ids).toEqual([1, 1]);
  });
});

describe('marks', () => {
  it('of all that begin in one go are one record, on the disk before any handler runs', async () => {
    const life = await Life.open(new MemoryDisk(), { durability: 'process' });
    await life.accept(batchOf(1, 2, 3));
    const sizes = () =>
      life.disk
        .paths()
        .map((path) => life.disk.read(path).length)
        .reduce((a, b) => a + b);
    const before = sizes();
    life.begin(1, 2, 3);
    expect(sizes() - before).toBeLessThan(60);
    expect((await life.killed()).delivered.map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
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

  /** Starts again and again; what is delivered begins at once, and the poison kills the process. */
  async function livesOf(maxAttempts: number, lives: number) {
    let life = await Life.open(new MemoryDisk(), { maxAttempts });
    await life.accept(batchOf(...ids));
    const stories: number[][] = [];
    for (let round = 0; round < lives; round++) {
      const begun: number[] = [];
      for (let i = 0; i < life.delivered.length; i++) {
        // All that was delivered together runs side by side; what comes later takes its turn.
        const now = life.delivered.slice(i);
        life.inbox.begin(now);
        begun.push(...now.map(({ updateId }) => updateId));
        i = life.delivered.length - 1;
        if (now.some(({ updateId }) => updateId === 3)) break;
        for (const entry of now) life.inbox.settle(entry, 'handled');
        await settle();
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
      { event: 'inbox.dead', updateId: 3, kind: 'message', why: 'died', attempts: 3 },
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
    expect(life.entry(3).attempt).toBe(7);
  });

  it('is not what a stop has cut', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1, 2));
    for (let round = 1; round <= 5; round++) {
      life.begin(1);
      expect(life.entry(1).attempt).toBe(round);
      expect(await life.inbox.drained('stop')).toEqual({ left: 2, mayRepeat: [1] });
      life = await life.killed();
    }
    expect(life.ids).toEqual([1, 2]);
    expect(life.eventsOf('inbox.recovered')).toMatchObject([{ begun: 1, died: 0 }]);
  });

  it('may be what a fault has cut', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1, 2));
    for (let round = 0; round < 3; round++) {
      life.begin(1);
      await life.inbox.drained('fault');
      life = await life.killed();
    }
    expect(life.ids).toEqual([2]);
    expect(life.eventsOf('inbox.dead')).toMatchObject([{ updateId: 1, attempts: 3 }]);
  });

  it('is not what was delivered and had not begun', async () => {
    let life = await Life.open();
    await life.accept(batchOf(1));
    for (let round = 0; round < 5; round++) life = await life.killed();
    expect(life.delivered).toMatchObject([{ updateId: 1, attempt: 1 }]);
  });
});

describe('an update that failed', () => {
  it('is settled, and kept with its error', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.begin(1, 2);
    life.inbox.settle(life.entry(1), 'failed', new Error('thrown'));
    life.inbox.settle(life.entry(2), 'timed-out', new Error('too long'));
    expect(life.eventsOf('inbox.dead')).toMatchObject([
      { updateId: 1, why: 'failed', attempts: 1 },
      { updateId: 2, why: 'timed-out', attempts: 1 },
    ]);
    expect(life.inbox.counts).toMatchObject({ failed: 1, timedOut: 1, waiting: 0 });
    expect((await stopped(life)).ids).toEqual([]);
  });

  it('is settled when the process was killed before that was written', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.begin(1);
    life.inbox.settle(life.entry(1), 'failed', new Error('thrown'));
    const next = await life.killed();
    expect(next.ids).toEqual([2]);
    await next.ask({ action: 'drop', seqs: seqs(1) });
    expect((await next.killed()).ids).toEqual([2]);
  });

  it('can be tried again, and is counted anew', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.begin(1);
    life.inbox.settle(life.entry(1), 'failed', new Error('thrown'));
    expect(await life.ask({ action: 'retry', seqs: seqs(1, 1, 5) })).toEqual({
      done: [1],
      refused: [1, 5].slice(1),
    });
    expect(life.delivered).toMatchObject([{ updateId: 1 }, { updateId: 1, attempt: 1 }]);
    expect(life.inbox.counts).toMatchObject({ recovered: 1, waiting: 1 });
    expect(life.eventsOf('inbox.requested')).toMatchObject([{ action: 'retry', updates: [1], refused: 1 }]);
    const next = await life.killed();
    expect(next.ids).toEqual([1]);
    expect(await next.ask({ action: 'retry', seqs: seqs(1) })).toEqual({ done: [], refused: [1] });
  });
});

describe('a request to drop', () => {
  it('takes what waits, delivered or not, and never what runs', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    life.begin(1);
    expect(await life.ask({ action: 'drop', seqs: seqs(1, 2, 99) })).toEqual({ done: [2], refused: [1, 99] });
    expect(life.begin(2)).toEqual([undefined]);
    expect(life.begin(3)).toEqual([updateOf(3)]);
    expect(life.inbox.counts).toMatchObject({ dropped: 1, waiting: 0, begun: 2 });
    life.inbox.settle(life.entry(1), 'handled');
    expect((await stopped(life)).ids).toEqual([3]);
  });

  it('is heard before anything is delivered', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.disk.kill();
    life.disk.replace(requestPath(folder, 'r'), '{"action":"drop","seqs":[1]}');
    const next = await Life.open(life.disk);
    await next.resume();
    expect(next.ids).toEqual([2]);
  });

  it('takes a dead letter for good', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.begin(1);
    life.inbox.settle(life.entry(1), 'failed', 'thrown');
    expect(await life.ask({ action: 'drop', seqs: seqs(1) })).toEqual({ done: [1], refused: [] });
    const next = await life.killed();
    expect(await next.ask({ action: 'retry', seqs: seqs(1) })).toEqual({ done: [], refused: [1] });
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
    expect(life.ids).toContain(11);
  });

  it('stops before the disk is full, and goes on by itself', async () => {
    const life = await Life.open();
    life.disk.free = 1_000_000;
    const accepted = life.inbox.accept(batchOf(1));
    await life.clock.advance(5_000);
    expect(life.eventsOf('inbox.paused')).toMatchObject([{ because: 'disk', freeBytes: 1_000_000 }]);
    expect(life.ids).toEqual([]);
    life.disk.free = 1_000_000_000;
    await life.clock.advance(1_500);
    expect(await accepted).toBe(2);
  });

  it('gives way to a stop: the batch stays with Telegram', async () => {
    const life = await Life.open(new MemoryDisk(), { limit: 1 });
    await life.accept(batchOf(1));
    const accepted = life.inbox.accept(batchOf(2));
    await settle();
    expect(await life.inbox.drained()).toEqual({ left: 1, mayRepeat: [] });
    expect(await accepted).toBeUndefined();
    expect(life.clock.pending).toBe(0);
  });

  it('never makes settle throw, whatever the disk says', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1));
    life.begin(1);
    life.disk.free = 0;
    await life.clock.advance(1_000);
    const accepted = expect(life.inbox.accept(batchOf(2))).rejects.toMatchObject({ code: 'INBOX_DISK' });
    await settle();
    life.disk.fail('freeBytes', 'EIO');
    await life.clock.advance(400);
    life.clock.skip(1_000);
    expect(() => life.inbox.settle(life.entry(1), 'handled')).not.toThrow();
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
    life.begin(1);
    life.disk.fail(operation, code);
    await expect(life.inbox.accept(batchOf(3))).rejects.toMatchObject({
      code: 'INBOX_DISK',
      message: expect.stringContaining(code),
    });
    expect(life.ids).toEqual([1, 2]);
    expect(() => life.begin(2)).toThrow(expect.objectContaining({ code: 'INBOX_DISK' }));
    life.inbox.settle(life.entry(1), 'handled');
    expect(life.inbox.counts).toMatchObject({ handled: 0, begun: 1 });
    life.disk.mend();
    await expect(life.inbox.accept(batchOf(3))).rejects.toMatchObject({ code: 'INBOX_DISK' });
    await life.clock.advance(2_000);
    expect(life.eventsOf('inbox.failed')).toHaveLength(1);
    expect(await life.inbox.drained('fault')).toMatchObject({ mayRepeat: [1] });
    expect(life.clock.pending).toBe(0);
    expect(life.disk.open).toBe(0);

    const next = await life.killed();
    expect(next.eventsOf('inbox.damaged')).toEqual([]);
    expect(next.ids.slice(0, 2)).toEqual([1, 2]);
  });

  it('on marking: the handler does not run', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2));
    life.disk.fail('append', 'ENOSPC');
    expect(() => life.begin(1, 2)).toThrow(expect.objectContaining({ code: 'INBOX_DISK' }));
    expect(life.eventsOf('inbox.failed')).toHaveLength(1);
    expect((await life.killed()).delivered).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
  });

  it('on settling, reading, cleaning or answering: said once, and never thrown', async () => {
    const faults: [
      operation: 'append' | 'sync' | 'read' | 'replace',
      after: (life: Life) => Promise<void>,
    ][] = [
      ['append', async (life) => life.handle(1).catch(() => {})],
      ['sync', async (life) => life.handle(1)],
      [
        'read',
        async (life) => {
          life.begin(1);
          life.inbox.settle(life.entry(1), 'failed', 'thrown');
        },
      ],
      ['replace', async (life) => life.clock.advance(6_000)],
    ];
    for (const [operation, work] of faults) {
      const life = await Life.open();
      await life.resume();
      await life.accept(batchOf(1));
      await settle();
      life.disk.fail(operation, 'EIO');
      await work(life);
      await life.clock.advance(1_000);
      expect([operation, life.eventsOf('inbox.failed').length]).toEqual([operation, 1]);
      await life.inbox.drained('fault');
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
    expect(await next.inbox.drained()).toEqual({ left: 0, mayRepeat: [] });
  });
});

describe('whose store it is', () => {
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
    await life.inbox.drained('fault');
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
    expect((await life.killed()).ids).toEqual([1]);
  });

  it('a damaged one is mended, and that is said', async () => {
    const life = await Life.open();
    for (let id = 1; id <= 5; id++) await life.accept(batchOf(id));
    await life.inbox.drained();
    const [segment = ''] = life.disk.paths().filter((path) => path.endsWith('.log'));
    life.disk.damage(segment, 300);
    const next = await life.killed();
    expect(next.eventsOf('inbox.damaged')).toMatchObject([
      { saved: 4, path: expect.stringContaining('log.damaged-') },
    ]);
    expect(next.ids).toHaveLength(4);
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
    expect(await life.inbox.drained()).toEqual({ left: 0, mayRepeat: [] });
    expect(life.clock.pending).toBe(0);
  });

  it('while it opens the store leaves nothing open', async () => {
    const disk = new MemoryDisk();
    const before = await Life.open(disk);
    for (let id = 1; id <= 3; id++) await before.accept(batchOf(id));
    disk.kill();
    // To mend it a file is opened.
    disk.damage(`${folder}/log/0000000000000000.log`, 150);
    const life = new Life(disk);
    const opening = life.inbox.open();
    const report = life.inbox.drained();
    await expect(opening).rejects.toThrow('the drain has ended');
    expect(await report).toEqual({ left: 0, mayRepeat: [] });
    expect(life.events).toEqual([]);
    expect(life.clock.pending).toBe(0);
    expect(disk.open).toBe(0);
    expect(disk.paths()).not.toContain(`${folder}/owner.json`);
  });

  it('makes all safe that was settled, delivers nothing more, and says what is left', async () => {
    const life = await Life.open();
    await life.accept(batchOf(1, 2, 3));
    await life.handle(1);
    life.begin(2);
    life.disk.holdSyncs = true;
    const accepted = life.inbox.accept(batchOf(4));
    await settle();
    const first = life.inbox.drained();
    expect(life.inbox.drained()).toBe(first);
    life.disk.releaseSyncs();
    expect(await first).toEqual({ left: 3, mayRepeat: [2] });
    expect(await accepted).toBe(5);
    expect(life.ids).toEqual([1, 2, 3, 4]);
    expect(await life.accept(batchOf(5))).toBeUndefined();
    expect(life.ids).toEqual([1, 2, 3, 4]);
    expect(() => life.begin(3)).toThrow('the drain has ended');
    life.inbox.settle(life.entry(2), 'handled');
    expect(life.clock.pending).toBe(0);
    life.disk.cutPower(() => 0);
    expect((await life.killed()).ids).toEqual([2, 3, 4]);
  });
});

describe('a watchdog', () => {
  it('learns by when it has to be open', async () => {
    const disk = new MemoryDisk();
    disk.replace(`${folder}/owner.json`, '{"place":"there","id":"another"}');
    const life = new Life(disk);
    const stop = new AbortController();
    const opening = life.inbox.open(stop.signal);
    expect(life.inbox.latestEnd).toBe(300_000);
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
  it('of any length has a bounded window in memory, and comes in order', async () => {
    const life = await Life.open(new MemoryDisk(), { limit: 1_000_000 });
    let id = 0;
    for (let batch = 0; batch < 60; batch++)
      await life.accept(Array.from({ length: 100 }, () => updateOf(++id)));
    expect(life.inbox.counts.waiting).toBe(6_000);
    expect(life.delivered.length).toBeLessThan(1_200);
    for (let next = 1; next <= 6_000; next++) {
      while (!life.delivered.some(({ updateId }) => updateId === next)) await settle();
      life.begin(next);
      life.inbox.settle(life.entry(next), 'handled');
      if (next % 500 === 0) life.delivered.splice(0, 400);
    }
    expect(life.inbox.counts).toMatchObject({ handled: 6_000, waiting: 0 });
  });
});
