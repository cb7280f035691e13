/**
 * The lock of a bot, in two parts. Every process on this host can see the public one, and so can one with another
 * `STATE_DIR`; but any user may take its name. The one in the bot's folder can be taken only by who may write there. It also
 * reaches into every container that has the folder. So nobody who holds only the public part keeps the bot from running,
 * unless it is a process of the same user.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import { LastcallError } from '../errors.js';
import { prepareBotFolder } from './bot-folder.js';
import { HostLock, isHeld } from './lock.js';
import { HolderFinder, type SocketHolder } from './socket-holder.js';

export interface ProvenLockOptions {
  /** Returned by `lockAddress`. */
  readonly address: string;
  /** The folder of the bot, if it has one; absolute. */
  readonly folder: string | undefined;
  /** The name of the part in the folder. Default: that of the lock of who has the bot for itself. */
  readonly fileName?: string;
  /** Whether a process that is not of this user keeps nobody from taking the lock though there is no folder. Default: no. */
  readonly yieldsWithoutFolder?: boolean;
  readonly clock?: Clock;
  /** Tells who holds the public part. Default: what the system shows. */
  readonly findHolder?: () => SocketHolder;
  /** Called when the lock is taken although a process that is not of this user holds the public part. */
  readonly usurped?: (holder: SocketHolder) => void;
}

const FILE_NAME = 'lock.sock';

/** A handle to the lock of a bot. Of all handles, only one holds the lock at a time. */
export class ProvenLock {
  readonly #options: ProvenLockOptions;
  readonly #public: HostLock;
  readonly #findHolder: () => SocketHolder;
  #inFolder: HostLock | undefined;
  #descriptor: number | undefined;

  constructor(options: ProvenLockOptions) {
    this.#options = options;
    this.#public = new HostLock(options.address, options.clock);
    const finder = new HolderFinder(options.address);
    this.#findHolder = options.findHolder ?? (() => finder.find());
  }

  /**
   * Resolves to whether this handle now holds the lock. Rejects with the system's error if no process can take its public
   * part, and with STATE_DIR_UNSAFE.
   */
  async tryAcquire(): Promise<boolean> {
    return (await this.#takeParts()) === undefined;
  }

  /** Takes the lock once it is free. Rejects with the signal's reason, or as `tryAcquire` does. */
  async acquire(signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      for (let taken = await this.#takeParts(); taken; taken = await this.#takeParts())
        await taken.waitForChange(signal);
    } finally {
      this.#public.stopWaiting();
      this.#inFolder?.stopWaiting();
    }
    if (!signal.aborted) return;
    this.release();
    throw signal.reason;
  }

  /** Resolves to whether a process holds the lock, and to true in doubt. Takes nothing, and makes no folder. */
  async isTaken(): Promise<boolean> {
    const { address, folder, fileName = FILE_NAME } = this.#options;
    if ((await isHeld(address)) && this.#findHolder().kind !== 'foreign') return true;
    return folder !== undefined && (await isHeldIn(folder, fileName));
  }

  /** Resolves once nobody seems to hold the lock, without taking it. Rejects with the signal's reason. */
  async whenFree(signal: AbortSignal): Promise<void> {
    try {
      while (await this.isTaken()) await this.#public.waitForChange(signal);
    } finally {
      this.#public.stopWaiting();
    }
  }

  /** Releases the lock if this handle holds it. Another process can take it at once. */
  release(): void {
    this.#inFolder?.release();
    this.#inFolder = undefined;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#public.release();
  }

  /** Takes both parts, and returns undefined; or the part that is to be waited for, and holds none. */
  async #takeParts(): Promise<HostLock | undefined> {
    let isPublic = await this.#public.tryAcquire();
    const holder: SocketHolder = isPublic ? { kind: 'ours' } : this.#findHolder();
    if (!isPublic && holder.kind !== 'foreign') return this.#public;
    // A holder that was just ending looks foreign, too.
    isPublic ||= await this.#public.tryAcquire();
    try {
      this.#inFolder ??= this.#openFolder();
      // Without a folder nobody can prove anything.
      if (!isPublic && !this.#inFolder && !this.#options.yieldsWithoutFolder) return this.#public;
      if (this.#inFolder && !(await this.#inFolder.tryAcquire())) {
        this.#public.release();
        return this.#inFolder;
      }
    } catch (error) {
      if (error instanceof LastcallError) {
        this.release();
        throw error;
      }
      // Many network file systems have no sockets, and a full or read-only disk takes none.
      this.#inFolder = undefined;
      if (!isPublic) return this.#public;
    }
    if (!isPublic) this.#options.usurped?.(holder);
    return undefined;
  }

  /** Returns undefined if there can be no folder; whoever needs it for more than the lock says why. */
  #openFolder(): HostLock | undefined {
    const { folder, fileName = FILE_NAME, clock = systemClock } = this.#options;
    if (folder === undefined) return undefined;
    try {
      prepareBotFolder(folder);
      if (process.platform !== 'linux') return new HostLock(join(folder, fileName), clock);
      // The path through the descriptor is short enough for a socket's name, and stays the same when the folder is moved.
      this.#descriptor = openSync(folder, 'r');
      return new HostLock(join(`/proc/self/fd/${this.#descriptor}`, fileName), clock);
    } catch (error) {
      if (error instanceof LastcallError) throw error;
      return undefined;
    }
  }
}

/** Whether a process holds the part in a folder, which need not be there. */
async function isHeldIn(folder: string, fileName: string): Promise<boolean> {
  if (!existsSync(join(folder, fileName))) return false;
  let descriptor: number | undefined;
  try {
    descriptor = process.platform === 'linux' ? openSync(folder, 'r') : undefined;
    return await isHeld(join(descriptor === undefined ? folder : `/proc/self/fd/${descriptor}`, fileName));
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
