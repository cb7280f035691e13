import { describe, expect, it } from '@jest/globals';
import {
  hiddenPlaces,
  isHidden,
  isHiddenPlace,
  isInHome,
  isWholeHome,
} from '../../src/host/hidden-places.js';

const targets: Readonly<Record<string, string>> = { '/home': '/var/home', '/tmp': '/mnt/tmp' };
/** Of a host where some of the places are links, and one is missing. */
const hidden = hiddenPlaces((path) => {
  if (path === '/run/user') throw new Error('ENOENT');
  return targets[path] ?? path;
});

describe('the places that a unit hides', () => {
  it('are those that the links lead to, too', () => {
    const paths = [
      '/home/u/bot',
      '/var/home/u/bot',
      '/root/bot',
      '/run/user/1000',
      '/mnt/tmp/bot',
      '/var/tmp/bot',
    ];
    expect(paths.filter((path) => isHidden(path, hidden))).toEqual(paths);
    expect(paths.filter((path) => isInHome(path, hidden))).toEqual(paths.slice(0, 4));
    const others = ['/srv/bot', '/homes/bot', '/var/homer', '/rooted'];
    expect(others.filter((path) => isHidden(path, hidden))).toEqual([]);
  });

  it('hold whole home directories, and may be named themselves', () => {
    const paths = [
      '/home',
      '/home/u',
      '/home/u/bot',
      '/var/home/u',
      '/var',
      '/root',
      '/root/bot',
      '/tmp',
      '/srv',
    ];
    expect(paths.filter((path) => isWholeHome(path, hidden))).toEqual([
      '/home',
      '/home/u',
      '/var/home/u',
      '/var',
      '/root',
    ]);
    expect(paths.filter((path) => isHiddenPlace(path, hidden))).toEqual(['/home', '/root', '/tmp']);
  });
});
