/** The places that the shipped unit hides from a bot. */
import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';

/** Each place by the name that the unit's settings have for it, and by the folder that it leads to if it is a link. */
export interface HiddenPlaces {
  /** Directories of home directories, which ProtectHome= hides. */
  readonly homes: readonly string[];
  /** The home directory of root, which ProtectHome= hides, too. */
  readonly rootHome: readonly string[];
  /** Directories that PrivateTmp= hides. */
  readonly temporary: readonly string[];
}

const homes = ['/home', '/run/user'];
const rootHome = ['/root'];
const temporary = ['/tmp', '/var/tmp'];

/** Returns the places as they are on this host: `/home` may be a link to `/var/home`, which is hidden then, too. */
export const hiddenPlaces = (realPath: (path: string) => string = realpathSync): HiddenPlaces => ({
  homes: withTargets(homes, realPath),
  rootHome: withTargets(rootHome, realPath),
  temporary: withTargets(temporary, realPath),
});

function withTargets(places: readonly string[], realPath: (path: string) => string): string[] {
  return [...new Set(places.flatMap((place) => [place, targetOf(place, realPath)]))];
}

function targetOf(place: string, realPath: (path: string) => string): string {
  try {
    return realPath(place);
  } catch {
    return place; // There is no such place.
  }
}

/** Whether the unit hides the path from the bot. */
export function isHidden(path: string, hidden: HiddenPlaces): boolean {
  return isInHome(path, hidden) || hidden.temporary.some((place) => isInside(path, place));
}

export const isInHome = (path: string, { homes, rootHome }: HiddenPlaces): boolean =>
  [...homes, ...rootHome].some((place) => isInside(path, place));

/** Whether the path is one of the places itself, which cannot be hidden and opened at once. */
export const isHiddenPlace = (path: string, { homes, rootHome, temporary }: HiddenPlaces): boolean =>
  [...homes, ...rootHome, ...temporary].includes(path);

/** Whether all of somebody's home directory is in the path. */
export const isWholeHome = (path: string, { homes, rootHome }: HiddenPlaces): boolean =>
  homes.includes(dirname(path)) || [...homes, ...rootHome].some((place) => isInside(place, path));

/** Whether the path is the folder or in it. */
export function isInside(path: string, folder: string): boolean {
  const route = relative(folder, path);
  return route === '' || !(route === '..' || route.startsWith(`..${sep}`) || isAbsolute(route));
}
