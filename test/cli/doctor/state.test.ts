import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { checkState } from '../../../src/cli/doctor/state.js';
import { lookAtState, type StateFacts } from '../../../src/cli/doctor/state-facts.js';
import { textOf, troubles } from '../../support/findings.js';
import { Folder } from '../../support/folder.js';

const MIB = 1024 * 1024;
const folder = { path: '/var/lib/lastcall/1', uid: 1000, name: 'ann', mode: 0o700 };
const healthy: StateFacts = {
  ...{ stateDir: '/var/lib/lastcall', place: '/var/lib/lastcall', kind: 'folder', closed: undefined },
  ...{
    isMemory: false,
    isNoDisk: false,
    freeBytes: 20_000 * MIB,
    freeFiles: 1_000_000,
    syncMs: 1.2,
    isStuck: false,
    refusal: undefined,
  },
  ...{ botFolder: folder, uid: 1000, owner: folder, unit: undefined },
};
const watched = {
  event: 'state.watched',
  watcher: 'pm2',
  folder: '/srv/bot/state',
  cure: 'have ignore_watch',
} as const;

describe('the state folder', () => {
  it('is well, and says what there is', () => {
    const found = checkState(healthy, 'journal', undefined);
    expect(troubles(found)).toEqual([]);
    expect(textOf(found)).toMatch(/21 GB free, a write is safe in 1 ms/);
  });

  it.each<[string, Partial<StateFacts>, readonly string[], RegExp]>([
    ['is not there yet', { kind: 'missing', place: '/var/lib' }, [], /which the first start makes/],
    ['is a file', { kind: 'file' }, ['folder: wrong'], /is a file/],
    ['is on a read-only disk', { closed: 'EROFS' }, ['folder: wrong'], /findmnt/],
    ['is closed to its own user', { closed: 'EACCES' }, ['folder: wrong'], /cannot write[\s\S]*ls -ld/],
    [
      'is that of root',
      { closed: 'EACCES', owner: { uid: 0, name: 'root' }, botFolder: undefined },
      ['folder: wrong'],
      /cannot write/,
    ],
    [
      'is that of another user, who may run the bot',
      { closed: 'EACCES', uid: 1001 },
      ['folder: skipped'],
      /user ann’s[\s\S]*sudo/,
    ],
    [
      'is that of a unit',
      { closed: 'EACCES', owner: undefined, unit: 'lastcall.service' },
      ['folder: skipped'],
      /that of lastcall\.service/,
    ],
    ['is in /proc', { isNoDisk: true, freeBytes: 0 }, ['folder: wrong'], /stores nothing/],
    ['belongs to another user', { uid: 1001 }, ['folder: skipped'], /belongs to ann[\s\S]*chown -R/],
    ['belongs to another user, for root', { uid: 0 }, [], /free/],
    ['is open to everybody', { botFolder: { ...folder, mode: 0o777 } }, ['folder: wrong'], /chmod 700/],
    ['is in memory', { isMemory: true }, ['folder: warning'], /at the next reboot/],
    ['has a full disk', { freeBytes: 30 * MIB }, ['disk: wrong'], /df -h/],
    ['has a disk that is nearly full', { freeBytes: 500 * MIB }, ['disk: warning'], /524 MB left/],
    ['has a disk with no more files', { freeFiles: 0 }, ['disk: wrong'], /df -i/],
    ['has a disk with few more files', { freeFiles: 12 }, ['disk: warning'], /12 more files/],
    ['has a disk without such a limit', { freeFiles: undefined }, [], /free/],
    ['has a disk that hangs', { syncMs: undefined, isStuck: true }, ['disk: wrong'], /dmesg/],
    ['refuses a write', { syncMs: undefined, refusal: 'EIO' }, ['disk: wrong'], /refused: EIO[\s\S]*dmesg/],
    ['takes no more', { syncMs: undefined, refusal: 'ENOSPC' }, ['disk: wrong'], /ENOSPC[\s\S]*df -i/],
    ['has a slow disk', { syncMs: 350 }, ['disk: warning'], /350 ms[\s\S]*DURABILITY=process/],
  ])('%s', (_, changed, found, words) => {
    const findings = checkState({ ...healthy, ...changed }, 'journal', undefined);
    expect(troubles(findings)).toEqual(found);
    expect(textOf(findings)).toMatch(words);
  });

  it('may be in memory where no journal is in it', () => {
    expect(troubles(checkState({ ...healthy, isMemory: true }, 'memory', undefined))).toEqual([]);
  });

  it('is not to be watched', () => {
    expect(troubles(checkState(healthy, 'journal', watched))).toEqual(['watcher: wrong']);
  });
});

describe('looking at it', () => {
  it('times a write, and leaves nothing behind', async () => {
    using state = new Folder();
    mkdirSync(state.file('123'), { mode: 0o700 });
    const facts = await lookAtState(state.path, '123');
    expect(facts).toMatchObject({
      kind: 'folder',
      closed: undefined,
      botFolder: { mode: 0o700 },
      isStuck: false,
    });
    expect(facts.syncMs).toBeGreaterThan(0);
    expect(readdirSync(state.path)).toEqual(['123']);
  });

  it('removes what was left by one that was killed, and is not kept by it from its own', async () => {
    using state = new Folder({ [`.doctor-${process.pid}`]: '', '.doctor-2': '', '.doctored': '' });
    utimesSync(state.file('.doctor-2'), 0, 0);
    const facts = await lookAtState(state.path, undefined);
    expect(facts).toMatchObject({ isStuck: false, refusal: undefined });
    expect(facts.syncMs).toBeGreaterThan(0);
    expect(readdirSync(state.path).sort()).toEqual([`.doctor-${process.pid}`, '.doctored']);
  });

  it('tells why a write is refused', async () => {
    using state = new Folder();
    // The path of the folder is as long as the system takes, so that no name fits behind it.
    let deep = state.path;
    while (deep.length < 4_080) deep += `/${'x'.repeat(Math.min(200, 4_080 - deep.length))}`;
    mkdirSync(deep, { recursive: true });
    expect(await lookAtState(deep, undefined)).toMatchObject({
      ...{ isStuck: false, syncMs: undefined, refusal: 'ENAMETOOLONG' },
    });
  });

  it('makes nothing where there is none', async () => {
    using state = new Folder();
    const facts = await lookAtState(state.file('a', 'b'), undefined);
    expect(facts).toMatchObject({ kind: 'missing', place: state.path, syncMs: undefined, isStuck: false });
    expect(readdirSync(state.path)).toEqual([]);
  });

  it('tells a file, and what is no disk', async () => {
    using state = new Folder({ file: '' });
    expect(await lookAtState(state.file('file'), undefined)).toMatchObject({ kind: 'file' });
    expect(await lookAtState('/proc/nowhere', undefined)).toMatchObject({ kind: 'missing', isNoDisk: true });
  });
});
