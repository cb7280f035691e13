import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { replaceFile } from '../src/replace-file.js';
import { Folder } from './support/folder.js';

describe('a file that is replaced', () => {
  it('has the new text, is open to its owner only, and leaves nothing beside it', () => {
    using folder = new Folder();
    const path = folder.file('state.json');
    writeFileSync(path, 'before', { mode: 0o644 });
    replaceFile(path, 'after');
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(['state.json']);
  });

  it('is never written through a link beside it', () => {
    using folder = new Folder();
    const [path, other] = [folder.file('state.json'), folder.file('other')];
    writeFileSync(other, 'untouched');
    symlinkSync(other, `${path}.new`);
    replaceFile(path, 'after', { sync: true });
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(readFileSync(other, 'utf8')).toBe('untouched');
  });

  const asRoot = process.getuid?.() === 0 ? it : it.skip;
  asRoot('belongs to the given owner', () => {
    using folder = new Folder();
    const path = folder.file('state.json');
    replaceFile(path, 'text', { owner: { uid: 54_321, gid: 54_322 } });
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([54_321, 54_322, 0o600]);
  });

  it('stays as it was when the new one cannot take its place', () => {
    using folder = new Folder();
    const path = folder.file('nowhere', 'state.json');
    expect(() => replaceFile(path, 'text')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(readdirSync(folder.path)).not.toContain('nowhere');
  });
});
