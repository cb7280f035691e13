/** The folder of a bot, in which only the bot's user may read or write. */
import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { LastcallError } from '../errors.js';
import { makeFolder } from '../make-folder.js';
import { tryOr } from '../thrown.js';

const WRITABLE_BY_GROUP = 0o020;
const WRITABLE_BY_ALL = 0o002;

/**
 * Makes the folder, unless it exists, and checks it and the inbox in it: what others could have put there is not to be
 * trusted. Throws the system's error if the folder cannot be made.
 *
 * @throws LastcallError STATE_DIR_UNSAFE
 */
export function prepareBotFolder(folder: string): void {
  makeFolder(folder);
  check(folder);
  check(join(folder, 'inbox'));
}

/** Whether it is a folder that belongs to the user of this process, and not a link to one. */
export function isOwnFolder(path: string): boolean {
  const stat = tryOr(() => lstatSync(path), undefined);
  const ownUid = process.geteuid?.();
  return stat?.isDirectory() === true && (ownUid === undefined || stat.uid === ownUid);
}

/** Returns the names of the folders of bots, and of what else is there; none where the folder cannot be read. */
export function namesIn(stateDir: string): string[] {
  try {
    return readdirSync(stateDir);
  } catch {
    // Whoever needs the folder says what is wrong with it.
    return [];
  }
}

function check(folder: string): void {
  const link = lstatSync(folder, { throwIfNoEntry: false });
  if (!link) return;
  const ownUid = process.geteuid?.();
  const isTrusted = ({ uid }: Stats) => ownUid === undefined || uid === ownUid || uid === 0;
  if (link.isSymbolicLink() && !isTrusted(link)) throw unsafe(folder, `is a link of user ${link.uid}`);
  let stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat) return;
  if (!isTrusted(stat))
    throw unsafe(folder, `belongs to user ${stat.uid}, and this process runs as user ${ownUid}`);
  if (stat.mode & (WRITABLE_BY_GROUP | WRITABLE_BY_ALL)) {
    // A volume that Kubernetes hands to a group (fsGroup) is made writable for that group at each mount.
    tryChmod(folder);
    stat = statSync(folder);
  }
  if (stat.mode & WRITABLE_BY_ALL) throw unsafe(folder, 'may be written to by every user');
}

/** Some mounts have one mode for all files, and only their owner may change a mode. */
function tryChmod(folder: string): void {
  try {
    chmodSync(folder, 0o700);
  } catch {
    // What matters is the mode that it has then.
  }
}

function unsafe(folder: string, why: string): LastcallError {
  return new LastcallError('STATE_DIR_UNSAFE', folder, `the state folder ${folder} ${why}`);
}
