/** How much of the backlog may be in memory, and how much of it may be of one key. */

export interface RoomLimits {
  /** How many updates may be loaded, those at work among them. */
  readonly updates: number;
  /** How many bytes the loaded updates may take. */
  readonly bytes: number;
  /** How many updates of one key may be loaded while all room is free. The number falls to one as the room fills. */
  readonly updatesOfKey: number;
}

interface Sized {
  readonly bytes: number;
}

/** The share of the room in which a key may have several updates. The rest is for keys of which nothing is loaded. */
const SHARED = 3 / 4;

export class Room {
  readonly #limits: RoomLimits;
  #updates = 0;
  #bytes = 0;

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /** How many updates are loaded. */
  get updates(): number {
    return this.#updates;
  }

  get isFree(): boolean {
    return this.#updates < this.#limits.updates && this.#bytes < this.#limits.bytes;
  }

  /** Whether there is room for half the number of updates, whatever their size. */
  get isHalfFree(): boolean {
    return this.#updates <= this.#limits.updates / 2;
  }

  /**
   * How many updates of a key may be loaded: `updatesOfKey` while the room is empty, falling in proportion to one when three
   * quarters of it are used. With a limit of 1,024 and 64 a key: 64 at first, 22 when 512 are loaded, 1 from 768 on.
   */
  get ofKey(): number {
    const { updates, bytes, updatesOfKey } = this.#limits;
    const used = Math.max(this.#updates / updates, this.#bytes / bytes);
    return Math.max(1, Math.ceil(updatesOfKey * (1 - used / SHARED)));
  }

  enter({ bytes }: Sized): void {
    this.#updates++;
    this.#bytes += bytes;
  }

  leave({ bytes }: Sized): void {
    this.#updates--;
    this.#bytes -= bytes;
  }
}
