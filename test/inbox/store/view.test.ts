import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { orderKey, seq, updateId } from '../../../src/inbox/ids.js';
import { type Disk, systemDisk } from '../../../src/inbox/log/disk.js';
import { encodeFrame } from '../../../src/inbox/log/frame.js';
import { position } from '../../../src/inbox/log/position.js';
import { DeadLetters } from '../../../src/inbox/store/dead-letters.js';
import { openStore as open } from '../../../src/inbox/store/open-store.js';
import { encodeHeader } from '../../../src/inbox/store/record-codec.js';
import { RecordKind } from '../../../src/inbox/store/records.js';
import { InboxView, type ViewOptions } from '../../../src/inbox/store/view.js';
import { Folder } from '../../support/folder.js';
import { AtWork, newBot, treeOf, update, viewOptions } from '../../support/inbox-folder.js';
import { newUpdates } from '../../support/new-updates.js';

let state: Folder;
let bot: string;
let runs: AtWork[];

beforeEach(() => {
  state = new Folder();
  bot = newBot();
  runs = [];
});
afterEach(async () => {
  for (const run of runs) await run.end();
  state[Symbol.dispose]();
});

const folder = () => state.file(bot, 'inbox');
const logFile = (index = 0) => join(folder(), 'log', readdirSync(join(folder(), 'log')).sort()[index] ?? '');

/** A run that is ended with its test. */
async function begin(): Promise<AtWork> {
  const run = await AtWork.begin({ stateDir: state.path, bot });
  runs.push(run);
  return run;
}

async function end(run: AtWork, how: 'stop' | 'kill'): Promise<void> {
  runs.splice(runs.indexOf(run), 1);
  await run.end(how);
}

/** Whatever would change anything fails. */
const readOnly: Disk = {
  ...systemDisk,
  ...Object.fromEntries(
    ['makeFolder', 'create', 'replace', 'remove', 'rename', 'syncFile', 'syncFolder'].map((name) => [
      name,
      () => {
        throw new Error(`${name} was called`);
      },
    ]),
  ),
};

const row = (id: number) => ({
  updateId: updateId(id),
  key: orderKey('1'),
  kind: 'message',
  content: update(id),
});

const view = (options: Partial<ViewOptions> = {}) =>
  new InboxView({ ...viewOptions(folder(), bot), disk: readOnly, ...options });

const told = (seen: InboxView) =>
  [...seen.updates()].map(({ updateId, state: itsState, attempts, deaths }) => [
    updateId,
    itsState,
    attempts,
    deaths,
  ]);

const openLetters = async () => {
  const options = {
    disk: systemDisk,
    folder: folder(),
    survivesPowerCut: false,
    now: Date.now,
    segmentBytes: 200,
  };
  return (await DeadLetters.open(options)).deadLetters;
};

describe('a view of an inbox that a process works with', () => {
  it('tells what runs, waits and is dead, in order of arrival, the dead last', async () => {
    const run = await begin();
    await run.accept(update(9), update(3, 4), update(7, 2), update(8, -3));
    await run.fail(new TypeError('no such order'), 9);
    await run.settle(3);
    // With these, what was settled is written, too.
    await run.accept(update(4));
    await run.handle(7);

    const seen = view({ runId: run.id });
    expect(seen.counts).toEqual({ running: 1, interrupted: 0, waiting: 2, dead: 1 });
    expect(told(seen)).toEqual([
      [7, 'running', 1, 0],
      [8, 'waiting', 0, 0],
      [4, 'waiting', 0, 0],
      [9, 'dead', 1, undefined],
    ]);
    const all = [...seen.updates()];
    expect(all.map(({ text }) => JSON.parse(`${text()}`))).toEqual([
      update(7, 2),
      update(8, -3),
      update(4),
      update(9),
    ]);
    expect(all[1]).toMatchObject({ kind: 'message', key: '-3', why: undefined, error: undefined });
    expect(all[3]).toMatchObject({ why: 'failed', error: 'TypeError: no such order\n    at somewhere' });
    for (const { atMs, seq: of, state: itsState } of all) {
      expect(Math.abs(Date.now() - atMs)).toBeLessThan(20_000);
      expect(seen.stateOf(of)).toBe(itsState);
    }
    expect(seen.stateOf(seq(99))).toBeUndefined();
    expect([...seen.updates(['waiting'])].map(({ updateId }) => updateId)).toEqual([8, 4]);
    expect([...seen.updates(['dead', 'running'])].map(({ updateId }) => updateId)).toEqual([7, 9]);
  });

  it('changes nothing', async () => {
    const run = await begin();
    await run.accept(update(1), update(2));
    await run.fail(new Error('oh'), 1);
    await end(run, 'stop');
    const before = treeOf(state.path);
    expect([...view().updates()].map(({ text }) => `${text()}`)).toHaveLength(2);
    expect(treeOf(state.path)).toEqual(before);
  });

  it('does not take for running what an earlier run had begun, whether this one has written or not', async () => {
    const first = await begin();
    await first.accept(update(1), update(2, 2));
    await first.handle(1, 2);
    await end(first, 'kill');
    const second = await begin();
    expect(told(view({ runId: second.id }))).toEqual([
      [1, 'waiting', 1, 1],
      [2, 'waiting', 1, 1],
    ]);
    await second.handle(1);
    expect(told(view({ runId: second.id }))).toEqual([
      [1, 'running', 2, 1],
      [2, 'waiting', 1, 1],
    ]);
  });
});

describe('a view of an inbox that no process works with', () => {
  it('tells what was interrupted by the death of its process, and what a stop has cut', async () => {
    const run = await begin();
    await run.accept(update(1), update(2, 2));
    await run.handle(1);
    await end(run, 'kill');
    expect(view().counts).toEqual({ running: 0, interrupted: 1, waiting: 1, dead: 0 });
    expect(told(view())).toEqual([
      [1, 'interrupted', 1, 1],
      [2, 'waiting', 0, 0],
    ]);

    const next = await begin();
    await next.handle(1, 2);
    await end(next, 'stop');
    expect(told(view())).toEqual([
      [1, 'waiting', 2, 1],
      [2, 'waiting', 1, 0],
    ]);
  });

  it('is empty where nothing was ever written', () => {
    mkdirSync(folder(), { recursive: true });
    expect(view().counts).toEqual({ running: 0, interrupted: 0, waiting: 0, dead: 0 });
    expect([...view().updates()]).toEqual([]);
    expect(view().damaged).toBe(false);
  });

  it('shows once, as dead, what died and was not settled yet', async () => {
    const run = await begin();
    await run.accept(update(1), update(2, 2));
    await run.handle(1, 2);
    await end(run, 'kill');
    const letters = await openLetters();
    const atMs = Date.now();
    const letter = { ...row(1), seq: seq(1), attempts: 1, atMs, error: undefined };
    letters.add({ ...letter, why: 'died' }, Buffer.from('{}'));
    letters.close();
    expect(view().counts).toEqual({ running: 0, interrupted: 1, waiting: 0, dead: 1 });
    expect(told(view())).toEqual([
      [2, 'interrupted', 1, 1],
      [1, 'dead', 1, undefined],
    ]);
  });
});

describe('a view of a store that changes meanwhile', () => {
  let time = 0;
  const openStore = () =>
    open({
      disk: systemDisk,
      folder: folder(),
      bot,
      survivesPowerCut: false,
      now: () => time,
      segmentBytes: 500,
    });

  it('finds what is left where the log was compacted meanwhile, each once', async () => {
    const store = await openStore();
    for (let id = 1; id <= 100; id++) {
      time = id;
      store.append(newUpdates([row(id)]), undefined);
    }
    time = 1_000;
    const segments = readdirSync(join(folder(), 'log')).length;
    const updates = view().updates();
    expect(updates.next()).toMatchObject({ value: { updateId: 1 } });

    for (let number = 1; number <= 100; number++) if (number % 10 !== 0) store.mark('settled', seq(number));
    for (let round = 0; round < 200; round++) await store.compact();
    expect(readdirSync(join(folder(), 'log')).length).toBeLessThan(segments / 2);
    const rest = [...updates].map(({ updateId, atMs, text }) => [
      updateId,
      atMs,
      JSON.parse(`${text()}`).update_id,
    ]);
    expect(rest).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100].map((id) => [id, id, id]));
    store.close();
  });

  it('begins anew where a segment goes between its being listed and read; but not for ever', async () => {
    const store = await openStore();
    for (let id = 1; id <= 10; id++) store.append(newUpdates([row(id)]), undefined);
    store.close();
    const gone = () => Object.assign(new Error('gone'), { code: 'ENOENT' });
    let failures = 3;
    const losing: Disk = {
      ...readOnly,
      read(path, ...part) {
        if (part[0] === undefined && failures-- > 0) throw gone();
        return readOnly.read(path, ...part);
      },
    };
    expect(view({ disk: losing }).counts.waiting).toBe(10);
    failures = Number.POSITIVE_INFINITY;
    expect(() => view({ disk: losing })).toThrow(expect.objectContaining({ code: 'INBOX_DISK' }));

    failures = 0;
    const losingParts: Disk = {
      ...readOnly,
      read(path, ...part) {
        if (part[0] !== undefined) throw gone();
        return readOnly.read(path);
      },
    };
    expect(() => [...view({ disk: losingParts }).updates()]).toThrow(
      expect.objectContaining({ code: 'INBOX_DISK' }),
    );
  });

  it('shows the rest where a record was damaged meanwhile', async () => {
    const store = await openStore();
    for (let id = 1; id <= 3; id++) store.append(newUpdates([row(id)]), undefined);
    store.close();
    const seen = view();
    const content = readFileSync(logFile());
    content.write('damaged', content.indexOf('text 2'));
    writeFileSync(logFile(), content);
    expect([...seen.updates()].map((one) => one.updateId)).toEqual([1, 3]);
    expect(seen.damaged).toBe(true);
  });

  it('gives the content of no other dead letter when their log is rewritten', async () => {
    mkdirSync(folder(), { recursive: true });
    const letters = await openLetters();
    for (let number = 1; number <= 3; number++)
      letters.add(
        { ...row(number), seq: seq(number), why: 'failed', attempts: 1, atMs: Date.now(), error: undefined },
        Buffer.from(JSON.stringify(update(number))),
      );
    const seen = [...view().updates()];
    letters.remove([seq(1)]);
    letters.close();
    const next = await openLetters();
    next.remove([seq(2)]);
    for (let round = 0; round < 5; round++) await next.compact();
    next.close();
    expect(seen.map(({ text }) => text()?.toString())).toEqual([
      undefined,
      undefined,
      JSON.stringify(update(3)),
    ]);
  });

  it('takes no notice of a torn end', async () => {
    const run = await begin();
    await run.accept(update(1));
    await run.accept(update(2));
    await end(run, 'kill');
    const whole = readFileSync(logFile());
    const cut = whole.lastIndexOf('LCJ1') + 30;
    truncateSync(logFile(), cut);
    const before = treeOf(state.path);
    expect(told(view())).toEqual([[1, 'waiting', 0, 0]]);
    expect(view().damaged).toBe(false);
    appendFileSync(logFile(), 'LCJ1 and nothing more');
    expect(told(view())).toEqual([[1, 'waiting', 0, 0]]);
    expect(treeOf(state.path).map((line) => line.split(' ')[0])).toEqual(
      before.map((line) => line.split(' ')[0]),
    );
  });

  it('says that something is damaged, and shows the rest', async () => {
    const run = await begin();
    await run.accept(update(1, 1, 'damage this'));
    await run.accept(update(2));
    await end(run, 'kill');
    const content = readFileSync(logFile());
    content.write('damaged', content.indexOf('damage this'));
    writeFileSync(logFile(), content);
    expect(told(view())).toEqual([[2, 'waiting', 0, 0]]);
    expect(view().damaged).toBe(true);
  });
});

describe('a view of what it may not or cannot read', () => {
  it.each([
    ['EACCES', 'INBOX_FORBIDDEN', 78],
    ['EPERM', 'INBOX_FORBIDDEN', 78],
    ['EIO', 'INBOX_DISK', 70],
  ])('names it: %s', async (code, error, exitCode) => {
    const run = await begin();
    await run.accept(update(1));
    const failing: Disk = {
      ...readOnly,
      list() {
        throw Object.assign(new Error('no'), { code });
      },
    };
    expect(() => view({ disk: failing })).toThrow(
      expect.objectContaining({ code: error, exitCode, message: expect.stringContaining(folder()) }),
    );
  });

  it('leaves the inbox of another bot, or of a newer version, alone', async () => {
    const run = await begin();
    await run.accept(update(1));
    expect(() => view({ bot: newBot() })).toThrow(expect.objectContaining({ code: 'INBOX_FOREIGN' }));
    await end(run, 'stop');
    const header = { format: 99, bot, nextSeq: seq(1), recent: [] };
    writeFileSync(logFile(), encodeFrame(RecordKind.header, position(0), encodeHeader(header)));
    expect(() => view()).toThrow(expect.objectContaining({ code: 'INBOX_NEWER' }));
  });
});
