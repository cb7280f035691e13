/**
 * A disk in memory that can lose its power, and that fails on demand. After a power cut, what was synced is there. The
 * rest is there in part, as with a page cache: of each file any part of what was appended since, perhaps with a hole of
 * zeros before its end, and any of the names that were changed since.
 */
import { basename, dirname } from 'node:path';
import type { AppendFile, Disk, HeldFolder } from '../../../src/inbox/log/disk.js';

interface Inode {
  content: Buffer;
  syncedBytes: number;
  /** Tells it from all other files there ever were. */
  readonly id: number;
}

/** The operations that can fail. */
type Operation = 'append' | 'sync' | 'create' | 'read' | 'makeFolder' | 'replace' | 'remove' | 'freeBytes';

interface Fault {
  readonly operation: Operation;
  readonly code: string;
  /** Only files whose path contains this text are affected. */
  readonly at: string;
  /** How many bytes an append writes before it fails. */
  readonly after: number;
}

let made = 0;

export class MemoryDisk implements Disk {
  #names = new Map<string, Inode>();
  /** The names that a sync of their folder has made durable. */
  #durableNames = new Map<string, Inode>();
  #fault: Fault | undefined;
  free = Number.MAX_SAFE_INTEGER;
  syncs = 0;
  reads = 0;
  /** How many files are open for writing. */
  open = 0;
  /** What reading in turns waits for, each time. */
  beforeLoad: (path: string) => Promise<void> = async () => {};
  /** Whether the paths of folders still lead to those that are held. */
  isInPlace = true;
  /** Whether syncs wait for `releaseSyncs`. */
  holdSyncs = false;
  readonly #held: (() => void)[] = [];
  #mounts = 0;

  /** Makes the operation fail from now on, until `mend`. */
  fail(operation: Operation, code: string, { at = '', after = 0 }: Partial<Fault> = {}): void {
    this.#fault = { operation, code, at, after };
  }

  mend(): void {
    this.#fault = undefined;
  }

  releaseSyncs(): void {
    this.holdSyncs = false;
    for (const release of this.#held.splice(0)) release();
  }

  /** The disk as one process uses it: once the process is killed, none of its operations has an effect. */
  mount(): Disk {
    const mounts = this.#mounts;
    return new Proxy<Disk>(this, {
      get: (disk, name) => {
        const value: unknown = Reflect.get(disk, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (mounts !== this.#mounts) throw systemError('KILLED');
          return Reflect.apply(value, disk, args);
        };
      },
    });
  }

  /** Kills the process that uses the disk. What it has written stays. */
  kill(): void {
    this.#mounts++;
    this.#held.length = 0;
    this.holdSyncs = false;
    this.open = 0;
  }

  /** @param random returns a number from 0 up to 1, to choose what survives */
  cutPower(random: () => number): void {
    this.kill();
    const after = new Map<string, Inode>();
    for (const path of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const [now, durable] = [this.#names.get(path), this.#durableNames.get(path)];
      // A name that was made, removed or moved since the last sync may be there as it was, or as it is.
      const inode = now === durable || random() < 0.5 ? now : durable;
      if (inode) after.set(path, { ...inode, content: survivingContent(inode, random) });
    }
    for (const inode of after.values()) inode.syncedBytes = inode.content.length;
    this.#names = after;
    this.#durableNames = new Map(after);
  }

  /** Flips a bit of a file. */
  damage(path: string, at: number): void {
    const { content } = this.#inode(path);
    content[at] = (content[at] ?? 0) ^ 0x10;
  }

  truncate(path: string, bytes: number): void {
    const inode = this.#inode(path);
    inode.content = inode.content.subarray(0, bytes);
  }

  overwrite(path: string, at: number, bytes: Uint8Array): void {
    const inode = this.#inode(path);
    const { content } = inode;
    inode.content = Buffer.concat([content.subarray(0, at), bytes, content.subarray(at + bytes.length)]);
  }

  /** Another disk with the same content. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    const inodes = new Map<Inode, Inode>();
    const copied = (inode: Inode): Inode => {
      const made = inodes.get(inode) ?? { ...inode, content: Buffer.from(inode.content) };
      inodes.set(inode, made);
      return made;
    };
    for (const [path, inode] of this.#names) copy.#names.set(path, copied(inode));
    for (const [path, inode] of this.#durableNames) copy.#durableNames.set(path, copied(inode));
    return copy;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  makeFolder(path: string): void {
    this.#mayFail('makeFolder', path);
  }

  list(folder: string): string[] {
    return this.paths()
      .filter((path) => dirname(path) === folder)
      .map((path) => basename(path));
  }

  create(path: string): AppendFile {
    this.#mayFail('create', path);
    if (this.#names.has(path)) throw systemError('EEXIST');
    const inode: Inode = { content: Buffer.alloc(0), syncedBytes: 0, id: ++made };
    this.#names.set(path, inode);
    this.open++;
    let isOpen = true;
    const sync = () => {
      this.#mayFail('sync', path);
      if (!isOpen) throw systemError('EBADF');
      this.syncs++;
      inode.syncedBytes = inode.content.length;
    };
    return {
      append: (bytes) => {
        if (!isOpen) throw systemError('EBADF');
        const { after = 0 } = this.#fault ?? {};
        if (after > 0 && this.#fails('append', path))
          inode.content = Buffer.concat([inode.content, bytes.subarray(0, after)]);
        this.#mayFail('append', path);
        inode.content = Buffer.concat([inode.content, bytes]);
      },
      sync: async () => {
        if (!isOpen) throw systemError('EBADF');
        // What is appended during the sync is not part of it.
        const bytes = inode.content.length;
        if (this.holdSyncs) await new Promise<void>((resolve) => this.#held.push(resolve));
        else await Promise.resolve();
        this.#mayFail('sync', path);
        this.syncs++;
        inode.syncedBytes = Math.max(inode.syncedBytes, bytes);
      },
      syncNow: sync,
      close: () => {
        if (!isOpen) throw systemError('EBADF');
        isOpen = false;
        this.open--;
      },
    };
  }

  read(path: string, position = 0, length = Number.POSITIVE_INFINITY): Buffer {
    this.#mayFail('read', path);
    this.reads++;
    return Buffer.from(this.#inode(path).content.subarray(position, position + length));
  }

  hold(): HeldFolder {
    return { isInPlace: () => this.isInPlace, close() {} };
  }

  versionOf(path: string): string | undefined {
    const inode = this.#names.get(path);
    return inode && `${inode.id} ${inode.content.length}`;
  }

  async load(path: string): Promise<Buffer> {
    await this.beforeLoad(path);
    return this.read(path);
  }

  replace(path: string, text: string): void {
    this.#mayFail('replace', path);
    const content = Buffer.from(text);
    this.#names.set(path, { content, syncedBytes: content.length, id: ++made });
  }

  remove(path: string): void {
    this.#mayFail('remove', path);
    this.#names.delete(path);
  }

  /** Renames a file or a folder. */
  rename(from: string, to: string): void {
    for (const [path, inode] of [...this.#names]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#names.delete(path);
      this.#names.set(`${to}${path.slice(from.length)}`, inode);
    }
  }

  async syncFile(path: string): Promise<void> {
    this.#mayFail('sync', path);
    const inode = this.#inode(path);
    inode.syncedBytes = inode.content.length;
  }

  syncFolder(folder: string): void {
    const isIn = (path: string) => dirname(path) === folder;
    for (const path of [...this.#durableNames.keys()].filter(isIn)) this.#durableNames.delete(path);
    for (const [path, inode] of this.#names) if (isIn(path)) this.#durableNames.set(path, inode);
  }

  freeBytes(folder: string): number {
    this.#mayFail('freeBytes', folder);
    return this.free;
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw systemError('ENOENT');
    return inode;
  }

  #mayFail(operation: Operation, path: string): void {
    if (this.#fails(operation, path)) throw systemError(this.#fault?.code ?? '');
  }

  #fails(operation: Operation, path: string): boolean {
    return this.#fault?.operation === operation && path.includes(this.#fault.at);
  }
}

function survivingContent({ content, syncedBytes }: Inode, random: () => number): Buffer {
  const unsynced = content.length - syncedBytes;
  const survivor = Buffer.from(content.subarray(0, syncedBytes + Math.floor(random() * (unsynced + 1))));
  const kept = survivor.length - syncedBytes;
  if (kept > 0 && random() < 0.5) {
    const from = syncedBytes + Math.floor(random() * kept);
    survivor.fill(0, from, from + Math.ceil(random() * (survivor.length - from)));
  }
  return survivor;
}

const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: as the test wants it`), { code });
