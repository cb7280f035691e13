import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { readText } from '../../src/host/read-text.js';
import { Folder } from '../support/folder.js';

it('reads a file, and waits for nobody at a pipe', () => {
  using folder = new Folder();
  expect(readText(folder.write('a', 'text'))).toBe('text');
  expect(readText(folder.file('none'))).toBeUndefined();
  expect(readText(folder.path)).toBeUndefined();
  execFileSync('mkfifo', [folder.file('pipe')]);
  expect(readText(folder.file('pipe'))).toBeUndefined();
});
