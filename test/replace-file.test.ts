import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { overwriteFile, replaceFile } from '../src/replace-file.js';
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

describe('a file that is written over', () => {
  it.each([
    ['a shorter', 'x'.repeat(90)],
    ['a longer', 'x'.repeat(900)],
  ])('holds the new text in place of %s one', (_, text) => {
    using folder = new Folder();
    const path = folder.file('state.json');
    writeFileSync(path, JSON.stringify('before '.repeat(20)));
    const { ino } = statSync(path);
    overwriteFile(path, JSON.stringify(text));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toBe(text);
    expect(statSync(path).ino).toBe(ino);
  });

  it.each([10, 200])('stays as it is where the disk takes only %i bytes', (mostBytes) => {
    using folder = new Folder();
    const path = folder.file('state.json');
    const before = JSON.stringify('before '.repeat(20));
    writeFileSync(path, before);
    const write = (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: number) =>
      writeSync(descriptor, bytes, offset, Math.min(length, mostBytes), position);
    expect(() => overwriteFile(path, JSON.stringify('x'.repeat(900)), write)).toThrow(
      expect.objectContaining({ code: 'ENOSPC' }),
    );
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('stays as it is where the text may need more room, and where it is a link', () => {
    using folder = new Folder();
    const [path, link] = [folder.file('state.json'), folder.file('link')];
    writeFileSync(path, '{}');
    symlinkSync(path, link);
    expect(() => overwriteFile(path, 'x'.repeat(2_000))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(() => overwriteFile(link, '[]')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    expect(readFileSync(path, 'utf8')).toBe('{}');
  });
});
