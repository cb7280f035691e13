/**
 * A move of an inbox out of its folder, or into it, that has begun and not ended. Meanwhile the inbox is in a folder of
 * another name, so that no process begins to work with the half of it.
 */
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { type Disk, systemDisk } from '../log/disk.js';
import { Owner } from './owner.js';

export type MoveDirection = 'to-database' | 'to-journal';

export interface Moving {
  readonly direction: MoveDirection;
  /** Tells this move from all others, also to the database. */
  readonly id: string;
  /** Where the inbox is meanwhile. */
  readonly folder: string;
}

/** @param folder the folder of the inbox */
export function movingOf(folder: string, direction: MoveDirection, id: string): Moving {
  return { direction, id, folder: `${folder}.${direction}-${id}` };
}

/** Where an inbox is kept that was moved into a database. */
export const movedFolder = (folder: string, { id }: Moving): string => `${folder}.moved-${id}`;

/**
 * Gives the inbox another name, under which no process opens it. A process in another container or on another host that
 * works with it gives it up. Rejects with INBOX_IN_USE, and as `Owner.acquire` does.
 *
 * @param holder the process that moves it
 */
export async function beginMoving(
  folder: string,
  direction: MoveDirection,
  holder: { readonly place: string; readonly id: string },
  clock: Clock,
  signal?: AbortSignal,
): Promise<Moving> {
  const owner = new Owner({ disk: systemDisk, folder, clock, ...holder });
  await owner.acquire(signal);
  owner.release();
  const moving = movingOf(folder, direction, holder.id);
  renameInbox(folder, moving.folder);
  return moving;
}

/** Renames the folder of an inbox, which survives a power cut. Throws the disk's error. */
export function renameInbox(from: string, to: string): void {
  systemDisk.rename(from, to);
  systemDisk.syncFolder(dirname(to));
}

/** Whether the inbox was moved into a database before. Throws what the disk throws. */
export function wasMovedAway(folder: string): boolean {
  return systemDisk.list(dirname(folder)).some((name) => name.startsWith(`${basename(folder)}.moved-`));
}

/** Finds a move of the inbox that was cut off. Throws what the disk throws. */
export function findMoving(folder: string, disk: Disk = systemDisk): Moving | undefined {
  const pattern = /\.(to-database|to-journal)-([\da-f-]{36})$/;
  for (const name of disk.list(dirname(folder))) {
    const [suffix, direction, id] = pattern.exec(name) ?? [];
    if (suffix === undefined || id === undefined || `${basename(folder)}${suffix}` !== name) continue;
    if (direction === 'to-database' || direction === 'to-journal')
      return { direction, id, folder: join(dirname(folder), name) };
  }
  return undefined;
}

/** @throws LastcallError INBOX_MOVING */
export function assertNotMoving(disk: Disk, folder: string): void {
  const moving = findMoving(folder, disk);
  if (moving) throw unfinished(moving);
}

export function unfinished({ direction, folder }: Moving): LastcallError {
  const goal = direction === 'to-database' ? 'a database' : 'the journal';
  return new LastcallError(
    'INBOX_MOVING',
    folder,
    `a move of the inbox to ${goal} has begun and not ended; the updates are safe in ${folder}, or in the database already`,
  );
}
