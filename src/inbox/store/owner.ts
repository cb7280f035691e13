/**
 * Keeps two processes from working with the same store. The bot's lock does so on one host, but does not reach into
 * another container, or another host with the same disk. So the owner writes a heartbeat into the store, and checks
 * that nobody else has.
 */
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isObject, parseJson } from '../../json.js';
import { codeOf, isNoSpace } from '../../system-error.js';
import type { Disk, HeldFolder } from '../log/disk.js';

export interface OwnerOptions {
  readonly disk: Disk;
  /** The folder of the inbox. */
  readonly folder: string;
  readonly clock: Clock;
  /** Where the process runs, as far as the bot's lock reaches: a host or a container. */
  readonly place: string;
  /** Tells this run of the program from all others. */
  readonly id: string;
  /** Called when `acquire` begins to wait for a heartbeat of an owner in another place. */
  readonly waiting?: (place: string | undefined, waitMs: number) => void;
}

/** Who owns the store. The file stays behind when its owner dies. */
export interface Heartbeat {
  readonly place: string;
  readonly id: string;
}

const FILE_NAME = 'owner.json';

export const heartbeatPath = (folder: string): string => join(folder, FILE_NAME);

/** How often the owner writes a heartbeat. */
export const HEARTBEAT_MS = 5_000;

/** An owner that is alive has written at least one heartbeat in this time. */
const TAKEOVER_WAIT_MS = 2 * HEARTBEAT_MS;

/** Two that have waited side by side write within this time of each other, unless one stands still. */
const SETTLE_MS = 500;

export class Owner {
  readonly #options: OwnerOptions;
  readonly #path: string;
  #beats = 0;
  /** The heartbeat that was written last; empty before the first. */
  #written = '';
  /** The version of the file that was found to hold that heartbeat. */
  #version: string | undefined;
  #held: HeldFolder | undefined;

  constructor(options: OwnerOptions) {
    this.#options = options;
    this.#path = heartbeatPath(options.folder);
  }

  /**
   * Acquires the store. If the last owner ran in another place and did not release it, waits whether it writes
   * another heartbeat. Rejects with a LastcallError INBOX_IN_USE if it does, with the signal's reason when that
   * aborts, and with the disk's error.
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    const { clock, folder, place, waiting } = this.#options;
    const before = this.#read();
    const ownerPlace = parseHeartbeat(before)?.place;
    // An owner in the same place is dead, because it does not hold the bot's lock.
    if (before !== '' && ownerPlace !== place) {
      waiting?.(ownerPlace, TAKEOVER_WAIT_MS);
      await clock.sleep(TAKEOVER_WAIT_MS, signal);
      if (this.#read() !== before) throw inUse(folder);
      this.heartbeat();
      // Of several that have waited side by side, the last to write wins; the others find that out by their next heartbeat.
      await clock.sleep(SETTLE_MS, signal);
    }
    this.heartbeat();
  }

  /** Throws INBOX_IN_USE if another process has acquired the store, and INBOX_REMOVED if the heartbeat is gone. */
  check(): void {
    if (this.#written === '') return;
    // To look at the file takes half as long as to read it. A network file system may show it as it was some seconds ago, which
    // is less than a takeover takes.
    const version = this.#options.disk.versionOf(this.#path);
    if (version !== undefined && version === this.#version) return;
    const found = this.#read();
    if (found === this.#written) {
      // The heartbeat of a copy of the folder is the same until the next.
      if (this.#held && !this.#held.isInPlace()) throw removed(this.#options.folder);
      this.#version = version;
      return;
    }
    const { folder, id } = this.#options;
    const owner = parseHeartbeat(found)?.id;
    throw found === '' || owner === id ? removed(folder) : inUse(folder);
  }

  /**
   * Writes a heartbeat. A full disk does not count as a failure, except for the first one: a bot that has nothing to
   * write can go on. Throws as `check` does, and what the disk throws.
   */
  heartbeat(): void {
    const { disk, folder, place, id } = this.#options;
    this.#version = undefined;
    this.check();
    const text = JSON.stringify({ place, id, beats: ++this.#beats });
    try {
      disk.replace(this.#path, text);
      this.#written = text;
      this.#held ??= disk.hold(folder);
    } catch (error) {
      if (!isNoSpace(error) || this.#written === '') throw error;
    }
  }

  /**
   * Releases the store, unless another process has acquired it, so that the next owner need not wait. Throws what the
   * disk throws.
   */
  release(): void {
    try {
      if (this.#read() === this.#written) this.#options.disk.remove(this.#path);
    } finally {
      this.close();
    }
  }

  /** Ends the work with the store, which stays acquired for all that others can tell. */
  close(): void {
    this.#held?.close();
    this.#held = undefined;
  }

  #read(): string {
    try {
      return this.#options.disk.read(this.#path).toString();
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return '';
      throw error;
    }
  }
}

/** Undefined if the text is not a heartbeat. */
export function parseHeartbeat(text: string): Heartbeat | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { place, id } = value;
  return typeof place === 'string' && typeof id === 'string' ? { place, id } : undefined;
}

function inUse(folder: string): LastcallError {
  return new LastcallError('INBOX_IN_USE', folder, `another process works with the inbox in ${folder}`);
}

function removed(folder: string): LastcallError {
  const message = `the sign of life of this process in ${folder} is gone: was the state folder deleted, moved or replaced?`;
  return new LastcallError('INBOX_REMOVED', folder, message);
}
