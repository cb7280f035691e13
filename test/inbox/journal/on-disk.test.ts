/** The journal on a real disk: what a disk in memory cannot show. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { JournalInbox } from '../../../src/inbox/journal/journal-inbox.js';
import { systemDisk } from '../../../src/inbox/log/disk.js';
import { Requests } from '../../../src/inbox/store/requests.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Folder } from '../../support/folder.js';

interface Update {
  readonly update_id: number;
}

function inboxIn(folder: string, durability: 'power' | 'process' = 'power') {
  const events: string[] = [];
  const inbox = new JournalInbox<Update>({
    folder,
    bot: '1-a',
    durability,
    maxAttempts: 3,
    concurrency: 2,
    limit: 100,
    holder: { place: 'here', id: 'a process' },
    keyOf: ({ update_id }) => `${update_id}`,
    kindOf: () => 'message',
    available: () => {},
    clock: new FakeClock(),
    restore: (content) => content as Update,
    errorText: String,
    emit: ({ event }) => events.push(event),
    segmentBytes: 500,
  });
  /** The ids of all updates that wait. */
  const takeAll = () => inbox.take(1_000).map(({ updateId }) => updateId);
  return { inbox, events, takeAll };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function* all(folder: string): Generator<string> {
  yield folder;
  for (const { name, parentPath } of readdirSync(folder, { withFileTypes: true, recursive: true }))
    yield join(parentPath, name);
}

/** The files in the folder that this process has open; others come and go with the tests before. */
const openFilesIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((name) => {
    const path = lstatSync(`/proc/self/fd/${name}`, { throwIfNoEntry: false })
      ? readlinkSync(`/proc/self/fd/${name}`)
      : '';
    return path.startsWith(folder) ? [path] : [];
  });

describe('the journal on a disk', () => {
  it.each(['power', 'process'] as const)(
    'finds everything again, and leaves no file open (%s)',
    async (durability) => {
      using state = new Folder();
      const folder = state.file('1-a', 'inbox');
      const first = inboxIn(folder, durability);
      await first.inbox.open();
      for (let id = 1; id <= 20; id++) await first.inbox.accept([{ update_id: id }]);
      await first.inbox.close();
      expect(openFilesIn(state.path)).toEqual([]);

      const second = inboxIn(folder, durability);
      await second.inbox.open();
      expect(second.takeAll()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
      await second.inbox.close();
      expect(openFilesIn(state.path)).toEqual([]);
    },
  );

  it('is for its owner only', async () => {
    using state = new Folder();
    chmodSync(state.path, 0o755);
    const folder = state.file('1-a', 'inbox');
    const { inbox } = inboxIn(folder);
    await inbox.open();
    await inbox.accept([{ update_id: 1 }]);
    for (const path of [state.file('1-a'), ...all(folder)])
      expect([path, modeOf(path)]).toEqual([path, statSync(path).isDirectory() ? '700' : '600']);
    await inbox.close();
  });

  it('keeps the files of a damaged log under another name', async () => {
    using state = new Folder();
    const { inbox } = inboxIn(state.path);
    await inbox.open();
    for (let id = 1; id <= 20; id++) await inbox.accept([{ update_id: id }]);
    await inbox.close();
    const log = state.file('log');
    const [name = ''] = readdirSync(log);
    const content = readFileSync(join(log, name));
    content[200] = (content[200] ?? 0) ^ 1;
    writeFileSync(join(log, name), content);

    const after = inboxIn(state.path);
    await after.inbox.open();
    expect(after.events).toContain('inbox.damaged');
    expect(after.takeAll()).toHaveLength(19);
    const aside = readdirSync(state.path).find((entry) => entry.startsWith('log.damaged-')) ?? '';
    expect(readFileSync(state.file(aside, name))).toEqual(content);
    await after.inbox.close();
  });

  it('needs a place: a file in the way is no folder', async () => {
    using state = new Folder({ inbox: 'a file' });
    await expect(inboxIn(state.file('inbox')).inbox.open()).rejects.toMatchObject({
      code: 'INBOX_UNAVAILABLE',
      exitCode: 78,
    });
  });
});

describe('the disk', () => {
  it('appends, and reads the whole or a part, shorter where the file ends', async () => {
    using folder = new Folder();
    const file = systemDisk.create(folder.file('a'));
    file.append(Buffer.from('hello '));
    file.append(Buffer.from('world'));
    await file.sync();
    file.syncNow();
    file.close();
    expect(systemDisk.read(folder.file('a')).toString()).toBe('hello world');
    expect(systemDisk.read(folder.file('a'), 6, 3).toString()).toBe('wor');
    expect(systemDisk.read(folder.file('a'), 6, 30).toString()).toBe('world');
    expect(() => systemDisk.create(folder.file('a'))).toThrow('EEXIST');
  });

  it('lists names in order, none where there is no folder', () => {
    using folder = new Folder({ b: '', a: '' });
    expect(systemDisk.list(folder.path)).toEqual(['a', 'b']);
    expect(systemDisk.list(folder.file('none'))).toEqual([]);
    expect(() => systemDisk.list(folder.file('a'))).toThrow('ENOTDIR');
  });

  it('replaces a file as a whole, moves and removes', async () => {
    using folder = new Folder();
    systemDisk.replace(folder.file('a'), 'one');
    systemDisk.replace(folder.file('a'), 'two');
    expect(readFileSync(folder.file('a'), 'utf8')).toBe('two');
    mkdirSync(folder.file('into'));
    systemDisk.rename(folder.file('a'), folder.file('into', 'a'));
    expect(readdirSync(folder.path)).toEqual(['into']);
    await systemDisk.syncFile(folder.file('into', 'a'));
    systemDisk.syncFolder(folder.path);
    systemDisk.remove(folder.file('into', 'a'));
    systemDisk.remove(folder.file('into', 'a'));
    expect(existsSync(folder.file('into', 'a'))).toBe(false);
    expect(systemDisk.freeBytes(folder.path)).toBeGreaterThan(0);
  });
});

it('is not held up by a pipe that stands where a request should', () => {
  using state = new Folder();
  mkdirSync(state.file('requests'));
  execFileSync('mkfifo', [state.file('requests', 'a.request.json')]);
  expect(new Requests(systemDisk, state.path).waiting()).toEqual([]);
  expect(readdirSync(state.file('requests'))).toEqual([]);
});

describe('a growing file', () => {
  it('grows in steps, with zeros behind what was appended, and is as long as that once it is closed', () => {
    using state = new Folder();
    const path = state.file('growing');
    const file = systemDisk.create(path);
    const parts = [100, 300_000, 5, 200_000].map((length, index) => Buffer.alloc(length, index + 1));
    let end = 0;
    for (const part of parts) {
      file.append(part);
      expect(systemDisk.read(path, end, part.length).equals(part)).toBe(true);
      end += part.length;
      const behind = systemDisk.read(path).subarray(end);
      expect(behind.every((byte) => byte === 0)).toBe(true);
    }
    expect(statSync(path).size).toBeGreaterThan(end);
    file.close();
    expect(systemDisk.read(path).equals(Buffer.concat(parts))).toBe(true);
  });
});
