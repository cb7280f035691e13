import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { prepareBotFolder } from '../../src/host/bot-folder.js';
import { Folder } from '../support/folder.js';

const unsafe = expect.objectContaining({ code: 'STATE_DIR_UNSAFE', exitCode: 78 });

describe('the folder of a bot', () => {
  it('is made for its user alone', () => {
    using folder = new Folder();
    const path = join(folder.path, 'state', 'bot');
    prepareBotFolder(path);
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
  });

  it.each(['', 'inbox'])('is closed to everybody else (%j)', (name) => {
    using folder = new Folder();
    const path = join(folder.path, 'bot');
    mkdirSync(join(path, name), { recursive: true, mode: 0o700 });
    chmodSync(join(path, name), 0o777);
    prepareBotFolder(path);
    expect(lstatSync(join(path, name)).mode & 0o777).toBe(0o700);
  });

  it('may be a link of its user', () => {
    using folder = new Folder();
    mkdirSync(join(folder.path, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(folder.path, 'elsewhere'), join(folder.path, 'bot'));
    expect(() => prepareBotFolder(join(folder.path, 'bot'))).not.toThrow();
  });

  const isRoot = process.geteuid?.() === 0;
  (isRoot ? it : it.skip).each([
    [
      'a link of another user',
      (path: string) => {
        symlinkSync('/tmp', path);
        lchownSync(path, 65534, 65534);
      },
    ],
    [
      'a folder of another user',
      (path: string) => {
        mkdirSync(path, { mode: 0o700 });
        chownSync(path, 65534, 65534);
      },
    ],
  ])(`is refused where it is %s${isRoot ? '' : ' (skipped: needs root)'}`, (_, make) => {
    using folder = new Folder();
    make(join(folder.path, 'bot'));
    expect(() => prepareBotFolder(join(folder.path, 'bot'))).toThrow(unsafe);
  });

  it('is closed to a group of this process', () => {
    using folder = new Folder();
    const path = join(folder.path, 'bot');
    mkdirSync(path);
    chmodSync(path, 0o2770);
    prepareBotFolder(path);
    expect(lstatSync(path).mode & 0o077).toBe(0);
  });
});
