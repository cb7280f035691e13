/** The users of this host, and what they may read. */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { join, parse, relative, sep } from 'node:path';
import { isHidden } from '../host/unit-file.js';

/** A user of this host. */
export interface Account {
  readonly uid: number;
  readonly gids: readonly number[];
}

/** The user that owns the folder, and that the service will run as; undefined if that is root. */
export function ownerOf(folder: string): string | undefined {
  const { uid } = statSync(folder);
  if (uid === 0) return undefined;
  return users().find((user) => user.uid === uid)?.name ?? `${uid}`;
}

/** The account with a name or id, or undefined if there is none. An id may be unknown to the host. */
export function accountOf(user: string): Account | undefined {
  const known = users().find(({ name, uid }) => name === user || `${uid}` === user);
  if (!known) return /^\d+$/.test(user) ? { uid: Number(user), gids: [] } : undefined;
  const groups = accountTable('/etc/group').filter(([, , , members = '']) =>
    members.split(',').includes(known.name),
  );
  return { uid: known.uid, gids: [known.gid, ...groups.map(([, , gid]) => Number(gid))] };
}

function users(): { readonly name: string; readonly uid: number; readonly gid: number }[] {
  const lines = accountTable('/etc/passwd');
  return lines.map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
}

/** The fields of each line of /etc/passwd or /etc/group. */
function accountTable(file: string): string[][] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split(':'));
}

/**
 * The first folder or file on the path that the account may not read, or undefined if it may read all. The unit mounts a
 * path that is hidden from the service into new folders, so only the file itself counts there.
 */
export function firstUnreadable(account: Account | undefined, path: string): string | undefined {
  const { root } = parse(path);
  const steps = relative(root, path).split(sep);
  const all = steps.map((_, index) => join(root, ...steps.slice(0, index + 1)));
  const considered = isHidden(path) ? all.slice(-1) : all;
  return considered.find((step) => {
    const stats = statSync(step);
    const wanted = stats.isDirectory() ? 0o1 : 0o4;
    return (permissionsOf(account, stats) & wanted) === 0;
  });
}

function permissionsOf(account: Account | undefined, { mode, uid, gid }: Stats): number {
  if (account?.uid === uid) return mode >> 6;
  if (account?.gids.includes(gid)) return mode >> 3;
  return mode;
}
