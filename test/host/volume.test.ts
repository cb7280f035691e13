import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { FileSystemKind } from '../../src/file-system.js';
import { transienceOf } from '../../src/host/volume.js';
import { Folder } from '../support/folder.js';

const id = '0123456789abcdef'.repeat(4);
const mount = (root: string, point: string) => `30 29 8:1 ${root} ${point} rw,relatime - ext4 /dev/sda1 rw\n`;
const root = mount('/', '/');

it.each<[string, FileSystemKind, string, string | undefined]>([
  ['on an overlay', 'overlay', root, 'layer'],
  ['on a layer of another kind', 'other', root, 'layer'],
  ['in memory', 'memory', root + mount('/', '/srv'), 'memory'],
  [
    'on a volume with a name',
    'other',
    root + mount('/var/lib/docker/volumes/state/_data', '/srv'),
    undefined,
  ],
  ['in a folder of the host', 'other', root + mount('/home/ann/state', '/srv'), undefined],
  [
    "on Docker's volume without a name",
    'other',
    root + mount(`/docker/volumes/${id}/_data`, '/srv'),
    'anonymous',
  ],
  [
    "on containerd's volume",
    'other',
    root + mount(`/cri/containers/${id}/volumes/${id}`, '/srv'),
    'anonymous',
  ],
  [
    'in an emptyDir',
    'other',
    root + mount('/var/lib/kubelet/pods/7/volumes/kubernetes.io~empty-dir/state', '/srv'),
    'emptyDir',
  ],
  [
    'under the mount that is seen',
    'other',
    root + mount('/a', '/srv') + mount(`/volumes/${id}/_data`, '/srv'),
    'anonymous',
  ],
])('%s', (_, kind, mounts, expected) => {
  expect(transienceOf('/srv/bot/state', () => kind, mounts)).toBe(expected);
});

it('reads names with blanks', () => {
  using folder = new Folder();
  const state = folder.file('my state');
  mkdirSync(state);
  const mounts = root + mount('/', state.replaceAll(' ', '\\040'));
  expect(transienceOf(state, () => 'other', mounts)).toBeUndefined();
});

it('follows links to the folder', () => {
  using folder = new Folder();
  mkdirSync(folder.file('volume'));
  symlinkSync(folder.file('volume'), folder.file('link'));
  const mounts = root + mount('/', folder.file('volume'));
  expect(transienceOf(folder.file('link', 'state'), () => 'other', mounts)).toBeUndefined();
});
