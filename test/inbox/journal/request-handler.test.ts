import { describe, expect, it } from '@jest/globals';
import { newCounters } from '../../../src/inbox/counters.js';
import type { InboxEvent } from '../../../src/inbox/events.js';
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import { RequestHandler } from '../../../src/inbox/journal/request-handler.js';
import { openStore } from '../../../src/inbox/store/open-store.js';
import {
  answerPath,
  type InboxRequest,
  parseAnswer,
  requestPath,
  requestsFolder,
} from '../../../src/inbox/store/requests.js';
import { newUpdates } from '../../support/new-updates.js';
import { MemoryDisk } from '../log/memory-disk.js';

const NOW = 1_700_000_000_000;
const folder = '/inbox';

const reopened = (disk: MemoryDisk) =>
  openStore({ disk, folder, bot: '1-a', survivesPowerCut: false, now: () => NOW });

/** Four updates that wait. */
async function rig() {
  const disk = new MemoryDisk();
  disk.makeFolder(requestsFolder(folder));
  const now = () => NOW;
  const store = await openStore({ disk, folder, bot: '1-a', survivesPowerCut: false, now });
  store.append(
    newUpdates([1, 2, 3, 4].map((id) => ({ updateId: updateId(100 + id), content: `${id}` }))),
    undefined,
  );
  const events: InboxEvent[] = [];
  const counters = newCounters();
  const handler = new RequestHandler({ disk, folder, store, counters, emit: (event) => events.push(event) });
  const commits: number[] = [];
  const turns = {
    isOpen: () => true,
    commit: async () => {
      commits.push(store.ledger.size);
      await store.commit();
    },
  };
  const ask = async (request: InboxRequest) => {
    disk.replace(requestPath(folder, 'r'), JSON.stringify(request));
    await handler.answerAll(turns);
    return parseAnswer(disk.read(answerPath(folder, 'r')).toString());
  };
  const waiting = () => store.ledger.batches().flatMap((batch) => [...batch.seqs]);
  return { disk, store, handler, ask, turns, commits, counters, events, waiting };
}

const letter = {
  seq: seq(9),
  updateId: updateId(109),
  key: orderKey('a chat'),
  kind: 'message',
  why: 'failed',
  attempts: 1,
  atMs: NOW,
  error: undefined,
} as const;

describe('requests', () => {
  it('that are not there are not answered', async () => {
    const { handler, events, turns, commits } = await rig();
    await handler.answerAll(turns);
    expect([commits, events]).toEqual([[], []]);
  });

  it('are all answered, each once', async () => {
    const { disk, handler, waiting, turns, commits } = await rig();
    disk.replace(requestPath(folder, 'r'), '{"action":"drop","seqs":[1]}');
    disk.replace(requestPath(folder, 's'), '{"action":"drop","seqs":[1,2]}');
    await handler.answerAll(turns);
    const answers = ['r', 's'].map((id) => parseAnswer(disk.read(answerPath(folder, id)).toString()));
    expect(answers).toEqual([
      { done: [1], refused: [] },
      { done: [2], refused: [1] },
    ]);
    await handler.answerAll(turns);
    expect([commits, waiting()]).toEqual([[2], [3, 4]]);
  });
});

describe('a long request', () => {
  const all = Array.from({ length: 600 }, (_, index) => seq(index + 1));
  const many = async () => {
    const made = await rig();
    made.store.append(
      newUpdates(all.slice(4).map((id) => ({ updateId: updateId(id), content: '' }))),
      undefined,
    );
    return made;
  };

  it('is carried out in slices, and told once with few ids', async () => {
    const { ask, commits, events, store } = await many();
    const left = new Set<number>();
    const watch = () => {
      left.add(store.ledger.size);
      if (store.ledger.size > 0) setImmediate(watch);
    };
    watch();
    expect(await ask({ action: 'drop', seqs: all })).toEqual({ done: all, refused: [] });
    expect([...left]).toEqual(expect.arrayContaining([600, 350, 100]));
    expect(commits).toEqual([0]);
    expect(events).toMatchObject([{ updates: 600, refused: 0 }]);
    expect(events.flatMap((event) => ('ids' in event ? event.ids : []))).toHaveLength(20);
  });

  it('is not begun once more while it is at work', async () => {
    const { disk, handler, commits, turns, events } = await many();
    disk.replace(requestPath(folder, 'r'), JSON.stringify({ action: 'drop', seqs: all }));
    await Promise.all([handler.answerAll(turns), handler.answerAll(turns)]);
    expect([commits.length, events.length]).toEqual([1, 1]);
  });

  it('stays for the next process where the run ends meanwhile', async () => {
    const { disk, handler, events, turns, waiting } = await many();
    disk.replace(requestPath(folder, 'r'), JSON.stringify({ action: 'drop', seqs: all }));
    await handler.answerAll({ ...turns, isOpen: () => waiting().length > 500 });
    expect([events, waiting().length]).toEqual([[], 350]);
    expect(disk.list(requestsFolder(folder))).toEqual(['r.request.json']);
  });
});

describe('dropping', () => {
  it('takes what waits, and refuses what is handled or not there', async () => {
    const { store, ask, counters, events, waiting } = await rig();
    store.mark('begun', seq(1));
    expect(await ask({ action: 'drop', seqs: [1, 2, 3, 99].map(seq) })).toEqual({
      done: [2, 3],
      refused: [1, 99],
    });
    expect(waiting()).toEqual([1, 4]);
    expect(counters).toEqual({ ...newCounters(), dropped: 2 });
    expect(events).toEqual([
      { event: 'inbox.requested', action: 'drop', updates: 2, ids: [102, 103], refused: 2 },
    ]);
  });

  it('is written when it is answered', async () => {
    const { disk, ask } = await rig();
    await ask({ action: 'drop', seqs: [seq(2)] });
    disk.kill();
    const next = await reopened(disk);
    expect(next.ledger.batches().flatMap((batch) => [...batch.seqs])).toEqual([1, 3, 4]);
  });

  it('removes a dead letter at once', async () => {
    const { disk, store, ask, counters } = await rig();
    store.addDeadLetter(letter, Buffer.from('"9"'));
    expect(await ask({ action: 'drop', seqs: [seq(9), seq(9)] })).toEqual({ done: [9], refused: [] });
    expect([store.getDeadLetter(seq(9)), store.deadLetters.list()]).toEqual([undefined, []]);
    disk.kill();
    expect((await reopened(disk)).deadLetters.list()).toEqual([]);
    expect(counters.dropped).toBe(0);
  });
});

describe('trying again', () => {
  it('has a dead letter wait as if it had just arrived, once', async () => {
    const { store, ask, counters, waiting } = await rig();
    store.addDeadLetter(letter, Buffer.from('"9"'));
    expect(await ask({ action: 'retry', seqs: [9, 9, 1].map(seq) })).toEqual({ done: [9], refused: [1] });
    expect(waiting()).toEqual([1, 2, 3, 4, 5]);
    expect(store.readOne(seq(5))).toMatchObject({ seq: 5, updateId: 109, content: '9' });
    expect(counters).toEqual({ ...newCounters(), recovered: 1 });
    await store.commit();
    expect(store.deadLetters.list()).toEqual([]);
  });

  it('that an earlier run has carried out and not answered is answered as done, and not done twice', async () => {
    const { disk, store, ask } = await rig();
    store.addDeadLetter(letter, Buffer.from('"9"'));
    await ask({ action: 'retry', seqs: [seq(9)] });
    disk.kill();
    const next = await reopened(disk);
    const events: InboxEvent[] = [];
    const counters = newCounters();
    disk.replace(requestPath(folder, 'r'), '{"action":"retry","seqs":[9]}');
    const emit = (event: InboxEvent) => events.push(event);
    await new RequestHandler({ disk, folder, store: next, counters, emit }).answerAll({
      isOpen: () => true,
      commit: async () => {},
    });
    expect(parseAnswer(disk.read(answerPath(folder, 'r')).toString())).toEqual({ done: [9], refused: [] });
    expect([next.deadLetters.list(), next.ledger.size, counters.recovered]).toEqual([[], 5, 0]);
    expect(events).toMatchObject([{ updates: 1, ids: [109], refused: 0 }]);
  });
});
