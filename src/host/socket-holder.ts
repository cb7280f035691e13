/** Tells who listens at an abstract Unix socket, from what Linux shows of processes in /proc. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/**
 * - `ours`: a process of this user
 * - `foreign`: no process of this user; `pid` and `uid` are known to root only
 * - `unknown`: there is no listener any more, or this system does not tell
 */
export type SocketHolder =
  | { readonly kind: 'ours' | 'unknown' }
  | { readonly kind: 'foreign'; readonly pid?: number; readonly uid?: number };

/** Answers for one address, and looks through the processes only once for each listener. */
export class HolderFinder {
  readonly #address: string;
  #known: { readonly inode: string; readonly holder: SocketHolder } | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  find(): SocketHolder {
    const inode = listenerInode(this.#address);
    if (inode === undefined) return { kind: 'unknown' };
    if (this.#known?.inode === inode) return this.#known.holder;
    const holder = holderOf(inode);
    // What is not known may be so only because a process has just ended.
    if (holder.kind !== 'unknown') this.#known = { inode, holder };
    return holder;
  }
}

/** Returns the inode of the socket that listens at the abstract address, if the system shows it. */
function listenerInode(address: string): string | undefined {
  if (!address.startsWith('\0')) return undefined;
  const name = address.replace('\0', '@');
  try {
    // Zeros that pad the name are shown as @, too. Columns: Num RefCount Protocol Flags Type St Inode Path. Flag 00010000 marks a listener.
    const row = readFileSync('/proc/self/net/unix', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/ +/))
      .find((columns) => columns[3] === '00010000' && columns[7]?.replace(/@+$/, '') === name);
    return row?.[6];
  } catch {
    return undefined;
  }
}

/** The numbers of the namespaces in which a Linux system starts (include/linux/proc_ns.h). */
const FIRST_NAMESPACES = { pid: 'pid:[4026531836]', user: 'user:[4026531837]' };

/**
 * Only this user and root may read which sockets a process has open, so nobody else can pass for this user. In a container,
 * and under a unit with PrivateUsers, processes of this user may be out of sight: nothing is known of a holder then.
 */
function holderOf(inode: string): SocketHolder {
  const wanted = `socket:[${inode}]`;
  const ownUid = process.geteuid?.();
  let isAllSeen = Object.entries(FIRST_NAMESPACES).every(
    ([name, first]) => linkOf(`/proc/self/ns/${name}`) === first,
  );
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const uid = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
    const sockets = linksIn(`/proc/${pid}/fd`);
    if (sockets?.includes(wanted)) {
      if (uid === ownUid) return { kind: 'ours' };
      return { kind: 'foreign', pid: Number(pid), ...(uid !== undefined && { uid }) };
    }
    if (!sockets && uid === ownUid) isAllSeen = false;
  }
  return { kind: isAllSeen ? 'foreign' : 'unknown' };
}

/** Returns undefined if they may not be read, or the process has ended. */
function linksIn(folder: string): readonly (string | undefined)[] | undefined {
  try {
    return readdirSync(folder).map((name) => linkOf(`${folder}/${name}`));
  } catch {
    return undefined;
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
