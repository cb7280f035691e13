import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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

  it('stays as it was when the new one cannot take its place', () => {
    using folder = new Folder();
    const path = folder.file('nowhere', 'state.json');
    expect(() => replaceFile(path, 'text')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(readdirSync(folder.path)).not.toContain('nowhere');
  });
});
