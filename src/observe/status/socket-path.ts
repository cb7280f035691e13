/** Names a socket in a folder whose path is too long for the address of a socket. */
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';

/** How many bytes an address holds (`sun_path`), without the zero at its end. */
const LONGEST_ADDRESS = process.platform === 'linux' ? 107 : 103;

export interface SocketPath {
  /** What to listen or connect to. Valid until `close`. */
  readonly address: string;
  close(): void;
}

/**
 * Returns an address for a socket in a folder. On Linux, a path that is too long is replaced by one through the open folder.
 * Throws the system's error if the folder cannot be opened.
 */
export function socketPath(folder: string, name: string): SocketPath {
  const address = join(folder, name);
  const isShort = Buffer.byteLength(address) <= LONGEST_ADDRESS;
  if (isShort || process.platform !== 'linux') return { address, close() {} };
  const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  let isOpen = true;
  return {
    address: `/proc/self/fd/${descriptor}/${name}`,
    close() {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}
