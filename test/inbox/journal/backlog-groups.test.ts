/** Albums that wait on disk: they are loaded whole, however little room there is. */
import { describe, expect, it } from '@jest/globals';
import { type Seq, seq as seqOf } from '../../../src/inbox/ids.js';
import { Backlog } from '../../../src/inbox/journal/backlog.js';
import { Item } from '../../../src/inbox/journal/item.js';
import type { RoomLimits } from '../../../src/inbox/journal/room.js';
import { position } from '../../../src/inbox/log/position.js';
import { Ledger } from '../../../src/inbox/store/ledger.js';
import { FakeClock } from '../../support/fake-clock.js';

/** An update of the chat `a` by the name `a1`, of the album `g` by the name `a1g`. */
interface Update {
  readonly update_id: number;
  readonly name: string;
}

/** Gives each update the key by its name, or a new one each time. */
function setUp(limits: Partial<RoomLimits>, keyOf = ({ name }: Update): string => name.slice(0, 1)) {
  const ledger = new Ledger();
  const clock = new FakeClock();
  const updates = new Map<Seq, Update>();
  const about = { keyOf, groupOf: ({ name }: Update) => /\d(\D)$/.exec(name)?.[1], kindOf: () => 'message' };
  const facts = { attempt: 1, putBacks: 0, retries: 0, acceptedAtMs: 0, bytes: 1 };
  const itemsOf = (seqs: readonly Seq[], key?: Item<Update>['key']) =>
    seqs.flatMap((seq) => {
      const update = ledger.batchOf(seq) && updates.get(seq);
      return update ? new Item(update, { ...facts, seq }, about, key) : [];
    });
  const backlog = new Backlog<Update>({
    ledger,
    read: (_, seqs, key) => itemsOf(seqs, key),
    readAgain: (seq, key) => itemsOf([seq], key)[0],
    isSuspect: () => false,
    clock,
    now: () => clock.now(),
    available() {},
    failed(error) {
      throw error;
    },
    limits: { updates: 100, bytes: 1_000_000, updatesOfKey: 10, ...limits },
  });
  return {
    clock,
    backlog,
    /** Writes a batch to the disk, in the order of the names. */
    write(...names: string[]): readonly Item<Update>[] {
      const first = ledger.nextSeq;
      const seqs = names.map((_, index) => seqOf(first + index));
      ledger.add({ position: position(first * 100), length: 100 }, seqs);
      for (const [index, seq] of seqs.entries())
        updates.set(seq, { update_id: seq, name: names[index] ?? '' });
      return itemsOf(seqs);
    },
    takeAll(): Item<Update>[] {
      const taken: Item<Update>[] = [];
      for (let item = backlog.take(); item; item = backlog.take()) taken.push(item);
      return taken;
    },
    settle(...items: Item<Update>[]): void {
      for (const item of items) {
        ledger.settle(item.seq);
        backlog.remove(item);
      }
    },
    putBack(item: Item<Update>, delayMs: number): void {
      ledger.begin(item.seq);
      ledger.putBack({ seq: item.seq, notBeforeMs: clock.now() + delayMs, isRetry: false });
      backlog.putBack(item, delayMs);
    },
  };
}

const namesOf = (items: readonly Item<Update>[]): string => items.map(({ update }) => update.name).join(' ');

describe('an album', () => {
  it('is loaded whole where its chat has room for one update only', () => {
    const { write, takeAll, settle } = setUp({ updatesOfKey: 1 });
    write('a1g', 'a2g', 'a3g', 'a4', 'b1');
    const album = takeAll();
    expect(namesOf(album)).toBe('a1g a2g a3g b1');
    settle(...album);
    expect(namesOf(takeAll())).toBe('a4');
  });

  it('is loaded whole where it waited for room in its chat', () => {
    const { write, takeAll, settle } = setUp({ updatesOfKey: 1 });
    write('a1', 'a2g', 'a3g', 'a4g', 'a5h', 'a6h', 'a7');
    for (const names of ['a1', 'a2g a3g a4g', 'a5h a6h', 'a7']) {
      const items = takeAll();
      expect(namesOf(items)).toBe(names);
      settle(...items);
    }
  });

  it('is loaded whole where it came in two batches', () => {
    const { write, takeAll } = setUp({ updates: 2 });
    write('a1g', 'a2g');
    write('a3g', 'a4g', 'b1');
    write('c1');
    expect(namesOf(takeAll())).toBe('a1g a2g a3g a4g b1');
  });

  it('goes on with what arrives, even where there is no room', () => {
    const { backlog, write, takeAll } = setUp({ updates: 2 });
    backlog.add(write('a1g', 'a2g'));
    expect(namesOf(takeAll())).toBe('a1g a2g');
    backlog.add(write('a3g'));
    expect(namesOf(takeAll())).toBe('a3g');
  });
});

describe('a rule that gives an update another key each time it is asked', () => {
  it('keeps nobody waiting for ever: an update keeps its key until it has settled', async () => {
    let asked = 0;
    // The four updates share a key when they arrive, and get another one when they are read again.
    const { clock, backlog, write, takeAll, settle, putBack } = setUp(
      { updatesOfKey: 1 },
      () => `${Math.floor(asked++ / 4)}`,
    );
    backlog.add(write('a1', 'a2', 'a3', 'a4'));
    for (const name of ['a1', 'a2', 'a3', 'a4']) {
      const [item, ...others] = takeAll();
      expect(item && namesOf([item, ...others])).toBe(name);
      if (!item) continue;
      putBack(item, 1_000);
      await clock.advance(1_000);
      const again = takeAll();
      expect(namesOf(again)).toBe(name);
      settle(...again);
    }
  });
});
