/** Tells who listens at an abstract Unix socket, from what Linux shows of processes in /proc. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** - `ours`: a process of this user
 * - `foreign`: no process of this user that can be seen from here; `pid` and `uid` are known to root only
 * - `unknown`: there is no listener any more, or this system does not tell */
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
    if (this.#known?.inode !== inode) this.#known = { inode, holder: holderOf(inode) };
    return this.#known.holder;
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

/** Only this user and root may read which sockets a process has open, so nobody else can pass for this user. */
function holderOf(inode: string): SocketHolder {
  const wanted = `socket:[${inode}]`;
  const ownUid = process.geteuid?.();
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    try {
      const folder = `/proc/${pid}/fd`;
      if (!readdirSync(folder).some((name) => linkOf(`${folder}/${name}`) === wanted)) continue;
      const { uid } = statSync(`/proc/${pid}`);
      return uid === ownUid ? { kind: 'ours' } : { kind: 'foreign', pid, uid };
    } catch {
      // The process has ended, or belongs to somebody else.
    }
  }
  return { kind: 'foreign' };
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
