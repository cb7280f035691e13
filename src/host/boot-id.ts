/** Tells one boot of the machine from the next. */
import { readFileSync } from 'node:fs';

/**
 * Returns Linux's boot id without hyphens, as systemd's `%b` has it; under a unit that hides the file (ProcSubset=pid), that
 * in the environment. Undefined if neither is there.
 */
export function readBootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
  } catch {
    return process.env['LASTCALL_BOOT_ID'];
  }
}
