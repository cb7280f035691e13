import { chmodSync, realpathSync, statSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { findUser, unreadableOn } from '../../src/cli/unix-user.js';
import { Folder } from '../support/folder.js';

it('finds a user by name or id, and accepts an id that the host does not know', () => {
  expect(findUser('root')).toEqual(findUser('0'));
  expect(findUser('54321')).toEqual({ uid: 54_321, gids: [] });
  expect(findUser('no-user-of-this-name')).toBeUndefined();
});

it('finds what a user may not read, by owner, group and others', () => {
  using folder = new Folder({ 'bot.mjs': '' });
  const file = realpathSync(folder.file('bot.mjs'));
  const { uid, gid } = statSync(file);
  const [owner, member, stranger] = [
    { uid, gids: [] },
    { uid: 54_321, gids: [gid] },
    { uid: 54_321, gids: [] },
  ];
  chmodSync(folder.path, 0o711);
  chmodSync(file, 0o640);
  const found = [owner, member, stranger].map((user) => unreadableOn(file, user));
  expect(found).toEqual([[], [], [file]]);
  chmodSync(folder.path, 0o700);
  expect(unreadableOn(file, stranger)).toEqual([folder.path, file]);
  chmodSync(file, 0o644);
  expect(unreadableOn(file, stranger, file)).toEqual([]);
});
