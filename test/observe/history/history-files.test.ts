import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { readText } from '../../../src/host/read-text.js';
import { HistoryFiles, type HistoryFilesOptions } from '../../../src/observe/history/history-files.js';
import { parseRecord } from '../../../src/observe/history/parse-record.js';
import type { HistoryRecord } from '../../../src/observe/history/record.js';
import { Folder } from '../../support/folder.js';

const KEY = '123';
/** Where a history is to be full soon. */
const MOST_BYTES = 1_000;

const record = (n: number): HistoryRecord => ({ kind: 'stood-still', run: 'a', atMs: n, ms: n });

interface Rig extends Disposable {
  readonly files: HistoryFiles;
  readonly failed: jest.Mock<HistoryFilesOptions['failed']>;
  readonly path: string;
  readonly older: string;
}

function rig(options: Partial<HistoryFilesOptions> = {}): Rig {
  const folder = new Folder();
  const failed = jest.fn<HistoryFilesOptions['failed']>();
  const own = join(folder.path, KEY);
  return {
    files: new HistoryFiles({ stateDir: folder.path, failed, ...options }),
    failed,
    path: join(own, 'history.jsonl'),
    older: join(own, 'history.old.jsonl'),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** A file may be renamed at any moment. */
const timesIn = (path: string): readonly number[] =>
  (readText(path) ?? '').split('\n').flatMap((line) => parseRecord(line)?.atMs ?? []);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Adds records until no file is about to be renamed: the last one has come into a file that was not full.
 *
 * @returns the number of the last record
 */
async function settled({ files, path, older }: Rig, from: number): Promise<number> {
  for (let n = from; ; n++) {
    files.append(KEY, record(n));
    await until(() => [older, path].some((file) => timesIn(file).includes(n)));
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? MOST_BYTES) < MOST_BYTES) return n;
  }
}

describe('the files of a history', () => {
  it('are appended to at once or soon, in this order, for the owner only', async () => {
    using rigged = rig();
    const { files, path, failed } = rigged;
    files.appendNow(KEY, record(1));
    expect(timesIn(path)).toEqual([1]);
    files.append(KEY, record(2));
    files.append(KEY, record(3));
    expect(timesIn(path)).toEqual([1]);
    await until(() => timesIn(path).length === 3);
    files.append(KEY, record(4));
    files.appendNow(KEY, record(5), record(6));
    expect(timesIn(path)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(failed).not.toHaveBeenCalled();
  });

  it('lose only the line in which a kill has cut a write off', () => {
    using rigged = rig();
    const { files, path } = rigged;
    files.appendNow(KEY, record(1), record(2));
    truncateSync(path, statSync(path).size - 10);
    files.appendNow(KEY, record(3));
    expect(timesIn(path)).toEqual([1, 3]);
  });

  it.each(['appendNow', 'append'] as const)('stay within their size, by %s', async (append) => {
    using rigged = rig({ mostBytes: MOST_BYTES });
    const { files, path, older } = rigged;
    files.appendNow(KEY, record(0));
    for (let n = 1; n <= 200; n++) {
      files[append](KEY, record(n));
      await until(() => [older, path].some((file) => timesIn(file).includes(n)));
    }
    const last = await settled(rigged, 201);
    const kept = [...timesIn(older), ...timesIn(path)];
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => last + 1 - kept.length + index));
    expect(kept.length).toBeGreaterThan(15);
    for (const file of [path, older]) expect(statSync(file).size).toBeLessThan(1_200);
  });

  it('have the head of the run once each, so that the run is known however long it lasts', async () => {
    using rigged = rig({ mostBytes: MOST_BYTES });
    const { files, path, older } = rigged;
    const head = -1;
    const heads = (file: string) => timesIn(file).filter((atMs) => atMs === head);
    files.begin(KEY, () => record(head));
    expect(timesIn(path)).toEqual([head]);
    for (let n = 1; n <= 100; n++) {
      files.append(KEY, record(n));
      await until(() => [older, path].some((file) => timesIn(file).includes(n)));
    }
    await settled(rigged, 101);
    for (const file of [older, path]) {
      expect(timesIn(file)[0]).toBe(head);
      expect(heads(file)).toHaveLength(1);
    }
    rmSync(path);
    files.appendNow(KEY, record(1));
    expect(timesIn(path)).toEqual([head, 1]);
    files.end(KEY, record(2));
    rmSync(path);
    files.appendNow(KEY, record(3));
    expect(timesIn(path)).toEqual([3]);
  });

  it('are renamed by one write at a time, so that what was kept is not lost', async () => {
    using rigged = rig({ mostBytes: MOST_BYTES });
    const { files, path, older } = rigged;
    files.appendNow(KEY, record(0));
    for (let n = 1; n <= 400; n += 4) {
      files.append(KEY, record(n));
      for (let more = 1; more < 4; more++) {
        // The write that has begun has come one step further each time.
        await new Promise((resolve) => setImmediate(resolve));
        files.appendNow(KEY, record(n + more));
      }
      if (existsSync(older)) expect(statSync(older).size).toBeGreaterThan(MOST_BYTES);
    }
    const last = await settled(rigged, 401);
    // What is written at once may overtake a write that is under way.
    const kept = [...timesIn(older), ...timesIn(path)].sort((a, b) => a - b);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => last + 1 - kept.length + index));
  });

  it.each([
    ['appendNow', false],
    ['append', false],
    ['append', true],
  ] as const)(
    'are not waited for where a stranger has put a named pipe: %s, read by somebody: %s',
    async (append, isRead) => {
      using rigged = rig();
      const { files, path, failed } = rigged;
      mkdirSync(dirname(path));
      execFileSync('mkfifo', [path]);
      const reader = isRead ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
      files[append](KEY, record(1));
      await until(() => failed.mock.calls.length > 0);
      const message = expect.stringMatching(isRead ? /no regular file/ : /ENXIO/);
      expect(failed).toHaveBeenCalledWith(path, expect.objectContaining({ message }));
      if (reader !== undefined) closeSync(reader);
    },
  );

  it('tell once that they cannot be written, and go on when they can', async () => {
    using rigged = rig();
    const { files, path, failed } = rigged;
    mkdirSync(path, { recursive: true });
    files.appendNow(KEY, record(1));
    files.append(KEY, record(2));
    files.appendNow(KEY, record(3));
    expect(failed).toHaveBeenCalledTimes(1);
    expect(failed).toHaveBeenCalledWith(path, expect.objectContaining({ code: 'EISDIR' }));
    rmSync(path, { recursive: true });
    files.appendNow(KEY, record(4));
    expect(timesIn(path).at(-1)).toBe(4);
    expect(failed).toHaveBeenCalledTimes(1);
  });

  it('follow no link that somebody has put there', () => {
    using rigged = rig();
    const { files, path, failed } = rigged;
    files.appendNow(KEY, record(1));
    rmSync(path);
    const target = `${path}.target`;
    writeFileSync(target, '');
    symlinkSync(target, path);
    files.appendNow(KEY, record(2));
    expect(failed).toHaveBeenCalledTimes(1);
    expect(readFileSync(target, 'utf8')).toBe('');
  });

  it('are not waited for at a disk that hangs', async () => {
    let now = 0;
    using rigged = rig({ now: () => now });
    const { files, path } = rigged;
    files.appendNow(KEY, record(1));
    // The write has begun, and has not ended when the time has passed.
    files.append(KEY, record(2));
    now = 1_001;
    files.appendNow(KEY, record(3));
    expect(timesIn(path)).toEqual([1]);
    await until(() => timesIn(path).includes(2));
    expect(timesIn(path)).toEqual([1, 2]);
  });
});
