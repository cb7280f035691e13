/**
 * Whose store it is at the moment. The lock of the bot keeps two processes of one host apart; it does not reach into
 * another container, or another host with the same disk. So the owner leaves a sign of life in the store, and looks
 * whether it is still its own.
 */
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';
import type { Disk } from '../log/disk.js';

export interface OwnerOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly clock: Clock;
  /** Where the process runs, as far as the bot's lock reaches. */
  readonly place: string;
  /** Tells this process from all others. */
  readonly id: string;
  /** The store was left without a word in that place; for so long `take` waits for a sign of life. */
  readonly waiting?: (place: string | undefined, waitMs: number) => void;
}

/** The sign of life that an owner leaves, and takes away when it gives the store back. */
export interface OwnerSign {
  readonly place: string;
  readonly id: string;
}

const FILE = 'owner.json';

export const ownerPath = (folder: string): string => join(folder, FILE);

export const BEAT_MS = 5_000;

/** An owner that is alive has given at least one sign by then. */
const PROBATION_MS = 2 * BEAT_MS;

export class Owner {
  readonly #options: OwnerOptions;
  readonly #path: string;
  #beats = 0;
  #written = '';

  constructor(options: OwnerOptions) {
    this.#options = options;
    this.#path = ownerPath(options.folder);
  }

  /**
   * Takes the store. Where it was left without a word somewhere else, waits whether its owner gives a sign of life.
   * Rejects with INBOX_IN_USE when it does, with the signal's reason when that aborts, and with what the disk throws.
   */
  async take(signal?: AbortSignal): Promise<void> {
    const { clock, place, waiting } = this.#options;
    const before = this.#read();
    const placeBefore = parseOwnerSign(before)?.place;
    // In the same place its owner is dead, for it does not hold the bot's lock.
    if (before !== '' && placeBefore !== place) {
      waiting?.(placeBefore, PROBATION_MS);
      await clock.sleep(PROBATION_MS, signal);
      if (this.#read() !== before) throw inUse(this.#options.folder);
    }
    this.beat();
  }

  /**
   * Gives a sign of life, where the disk has room for one: a disk that is full ends nobody who has nothing to write.
   *
   * @throws LastcallError INBOX_IN_USE when somebody else has taken the store, and what the disk throws
   */
  beat(): void {
    const { disk, folder, place, id } = this.#options;
    if (this.#written !== '' && this.#read() !== this.#written) throw inUse(folder);
    const sign = JSON.stringify({ place, id, beats: ++this.#beats });
    try {
      disk.replace(this.#path, sign);
      this.#written = sign;
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC' || this.#written === '') throw error;
    }
  }

  /** Gives the store back, so that nobody has to wait for a sign of life. */
  leave(): void {
    if (this.#read() === this.#written) this.#options.disk.remove(this.#path);
  }

  #read(): string {
    const { disk, folder } = this.#options;
    return disk.list(folder).includes(FILE) ? disk.read(this.#path).toString() : '';
  }
}

/** Undefined where the text is no such sign. */
export function parseOwnerSign(text: string): OwnerSign | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const [place, id]: unknown[] = [Reflect.get(value, 'place'), Reflect.get(value, 'id')];
    return typeof place === 'string' && typeof id === 'string' ? { place, id } : undefined;
  } catch {
    return undefined;
  }
}

function inUse(folder: string): LastcallError {
  return new LastcallError('INBOX_IN_USE', folder, `another process works with the inbox in ${folder}`);
}
