import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { replaceFileByChild } from '../../src/host/child-writer.js';
import { Folder } from '../support/folder.js';

const WITHIN_MS = 5_000;

it('replaces a file, whatever its path and the line hold', async () => {
  using folder = new Folder();
  const path = folder.file("a 'name' $HOME");
  const line = '{"text":"%s \\n $HOME `id`"}';
  await replaceFileByChild(path, 'before', WITHIN_MS);
  await replaceFileByChild(path, line, WITHIN_MS);
  expect(readFileSync(path, 'utf8')).toBe(`${line}\n`);
});

it('gives up what cannot be written', async () => {
  using folder = new Folder();
  await replaceFileByChild(folder.file('none', 'file'), 'line', WITHIN_MS);
});
