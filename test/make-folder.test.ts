import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { makeFolder } from '../src/make-folder.js';
import { Folder } from './support/folder.js';

it('makes a folder and those above it, for their owner alone, and tells which', () => {
  using folder = new Folder();
  const made: string[] = [];
  makeFolder(folder.file('a', 'b'), (path) => made.push(path));
  expect(made).toEqual([folder.file('a'), folder.file('a', 'b')]);
  expect(statSync(folder.file('a')).mode & 0o777).toBe(0o700);
  makeFolder(folder.file('a', 'b'), () => expect(true).toBe(false));
});

it('throws where a file is in the way', () => {
  using folder = new Folder({ file: '' });
  expect(() => makeFolder(folder.file('file'))).toThrow('EEXIST');
  expect(() => makeFolder(folder.file('file', 'a'))).toThrow('ENOTDIR');
});

(process.platform === 'linux' ? it : it.skip)("ends where the file system is the kernel's", () => {
  expect(() => makeFolder('/proc/lastcall/a')).toThrow('ENOENT');
});

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
(isRoot ? it : it.skip)(
  `names a read-only file system${isRoot ? '' : ' (skipped: it takes root, on Linux)'}`,
  () => {
    using folder = new Folder();
    const script = `mount -t tmpfs -o ro tmpfs "$1" && exec "$2" --input-type=module -e "
import { makeFolder } from '$3';
try { makeFolder('$1/a/b'); } catch (error) { console.log(error.code); }"`;
    const module = new URL('../dist/make-folder.js', import.meta.url).pathname;
    const args = ['--mount', 'sh', '-c', script, 'sh', folder.path, process.execPath, module];
    expect(execFileSync('unshare', args, { encoding: 'utf8' })).toBe('EROFS\n');
  },
);
