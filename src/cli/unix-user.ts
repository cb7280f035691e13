/** The Unix users of this host, and which files they may read. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, parse, relative, sep } from 'node:path';

/** The ids that decide what a user may read. */
export interface UnixUser {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** Returns the name of the user that owns the folder, or the user's id without a name; undefined for root. */
export function ownerOf(folder: string): string | undefined {
  const { uid } = statSync(folder);
  if (uid === 0) return undefined;
  return nameOf(uid);
}

/** Returns the name of a user, or the id without a name. */
export function nameOf(uid: number): string {
  return users().find((user) => user.uid === uid)?.name ?? `${uid}`;
}

/** Returns the home directories of all users. */
export function homes(): readonly string[] {
  return [...new Set(users().flatMap(({ home }) => (isAbsolute(home) ? [home] : [])))];
}

/** Returns the user with a name or id, or undefined if no user has the name. An id may be unknown to the host. */
export function findUser(user: string): UnixUser | undefined {
  const known = users().find(({ name, uid }) => name === user || `${uid}` === user);
  if (!known) return /^\d+$/.test(user) ? { uid: Number(user), gids: [] } : undefined;
  const groups = readTable('/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(known.name),
  );
  return { uid: known.uid, gids: [known.gid, ...groups.map(([, , gid]) => Number(gid))] };
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function users(): User[] {
  const lines = readTable('/etc/passwd');
  return lines.map(([name = '', , uid, gid, , home = '']) => ({
    name,
    uid: Number(uid),
    gid: Number(gid),
    home,
  }));
}

/** Returns the fields of each line of /etc/passwd or /etc/group. */
function readTable(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split(':'));
}

/**
 * Returns the folders on the path that the user may not enter, and the file if the user may not read it.
 *
 * @param from where on the path to begin. Default: at the root
 */
export function unreadableOn(path: string, user: UnixUser | undefined, from = parse(path).root): string[] {
  const steps = relative(from, path).split(sep);
  const all = [from, ...steps.map((_, index) => join(from, ...steps.slice(0, index + 1)))];
  return all.filter((step) => {
    const stats = statSync(step);
    const wanted = stats.isDirectory() ? 0o1 : 0o4;
    return (permissionsOf(user, stats) & wanted) === 0;
  });
}

function permissionsOf(user: UnixUser | undefined, { mode, uid, gid }: Stats): number {
  if (user?.uid === uid) return mode >> 6;
  if (user?.gids.includes(gid)) return mode >> 3;
  return mode;
}
