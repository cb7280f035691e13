import { chmodSync, copyFileSync, cpSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { systemDisk } from '../../../src/inbox/log/disk.js';
import { Folder } from '../../support/folder.js';

/** The kernel's time goes in steps of up to 10 ms. */
const STEP_MS = 20;

describe('the version of a file', () => {
  it.each<[string, (file: string, folder: Folder) => void]>([
    ['written anew in place', (file) => writeFileSync(file, 'some')],
    ['replaced by a copy with the same times', (file, folder) => replaceByCopy(file, folder)],
    ['given its old times', (file) => utimesSync(file, 1, 1)],
    ['given other permissions', (file) => chmodSync(file, 0o640)],
    ['written as the inbox does', (file) => systemDisk.replace(file, 'text')],
  ])('is another one for a file that was %s', async (_, change) => {
    using folder = new Folder();
    const file = folder.write('file', 'text');
    utimesSync(file, 1, 1);
    const before = systemDisk.versionOf(file);
    expect(systemDisk.versionOf(file)).toBe(before);
    await sleep(STEP_MS);
    change(file, folder);
    expect(systemDisk.versionOf(file)).not.toBe(before);
  });

  it('is not there where there is no file', () => {
    using folder = new Folder();
    expect(systemDisk.versionOf(folder.file('nothing'))).toBeUndefined();
  });
});

describe('a folder that is held', () => {
  it('is in place until its path leads to another, or to none', () => {
    using folder = new Folder({ 'state/file': '' });
    const path = folder.file('state');
    const held = systemDisk.hold(path);
    expect(held.isInPlace()).toBe(true);
    renameSync(path, folder.file('old'));
    expect(held.isInPlace()).toBe(false);
    cpSync(folder.file('old'), path, { recursive: true });
    expect(held.isInPlace()).toBe(false);
    rmSync(path, { recursive: true });
    renameSync(folder.file('old'), path);
    expect(held.isInPlace()).toBe(true);
    held.close();
  });
});

function replaceByCopy(file: string, folder: Folder): void {
  const copy = folder.file('copy');
  copyFileSync(file, copy);
  utimesSync(copy, 1, 1);
  renameSync(copy, file);
}
