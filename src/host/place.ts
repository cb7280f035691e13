/** Where a process runs, as far as the bot's lock reaches: the host, its boot, and the network namespace. */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { readBootId } from './boot-id.js';

/** Two containers may have the same hostname, and so may two hosts. Parts that the system does not tell are left out. */
export function currentPlace(): string {
  return [hostname(), readBootId(), networkNamespace()].filter((part) => part !== undefined).join(' ');
}

/** The name of the host in a place. */
export const hostOf = (place: string): string => place.split(' ')[0] ?? place;

function networkNamespace(): string | undefined {
  try {
    return readlinkSync('/proc/self/ns/net').replace(/\D/g, '');
  } catch {
    return undefined;
  }
}
