/** Where a process runs, as far as the bot's lock reaches: the host, its boot, and the network namespace. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Two containers may have the same hostname, and so may two hosts. Parts that the system does not tell are left out. */
export function currentPlace(): string {
  // Under a unit that hides the file (ProcSubset=pid), systemd's `%b`, which has no hyphens.
  const bootId = () =>
    (
      tryOrNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')) ||
      (process.env['LASTCALL_BOOT_ID'] ?? '')
    )
      .trim()
      .replaceAll('-', '');
  const network = () => readlinkSync('/proc/self/ns/net').replace(/\D/g, '');
  return [hostname(), bootId(), tryOrNothing(network)].filter((part) => part !== '').join(' ');
}

/** The name of the host in a place. */
export const hostOf = (place: string): string => place.split(' ')[0] ?? place;

function tryOrNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
