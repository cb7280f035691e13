/** The folder of a bot, in which only the bot's user may read or write. */
import { chmodSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { LastcallError } from '../errors.js';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;

/**
 * Makes the folder, unless it exists, and checks it and the inbox in it: what others could have put there is not to be
 * trusted. Throws the system's error if the folder cannot be made.
 *
 * @throws LastcallError STATE_DIR_UNSAFE
 */
export function prepareBotFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  check(folder);
  check(join(folder, 'inbox'));
}

function check(folder: string): void {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (!stat) return;
  const why = unsafety(stat);
  if (why !== undefined)
    throw new LastcallError('STATE_DIR_UNSAFE', folder, `the state folder ${folder} ${why}`);
  // A volume that Kubernetes hands to a group (fsGroup) is made writable for that group at each mount.
  if (stat.mode & WRITABLE_BY_GROUP) chmodSync(folder, 0o700);
}

function unsafety({ uid, gid, mode }: Stats): string | undefined {
  const ownUid = process.geteuid?.();
  if (ownUid === undefined) return undefined;
  if ((mode & 0o170000) === 0o120000) return 'is a link';
  if (uid !== ownUid) return `belongs to user ${uid}, and this process runs as user ${ownUid}`;
  if (mode & WRITABLE_BY_ALL) return 'may be written to by every user';
  const isOwnGroup = process.getegid?.() === gid || process.getgroups?.().includes(gid);
  if (mode & WRITABLE_BY_GROUP && !isOwnGroup) return `may be written to by group ${gid}`;
  return undefined;
}
