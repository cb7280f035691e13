/**
 * A lock that one process on a host can hold: a listening Unix socket, which the kernel closes however the process
 * ends. No data is exchanged. A waiting process keeps a connection open, and tries again when the connection ends.
 */
import { once } from 'node:events';
import { statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onAbort } from '../abort.js';
import { type Clock, systemClock } from '../clock.js';
import { codeOf } from '../system-error.js';

/** How often a waiter tries while its connection to the holder stays open. */
const RETRY_INTERVAL_MS = 500;
/** The shortest time between two tries, in case the listener at the address closes every connection at once. */
const MIN_RETRY_INTERVAL_MS = 20;
/** How many connections of waiters a holder keeps; further waiters retry at `RETRY_INTERVAL_MS`. */
const MAX_WAITERS = 64;
/** The age from which a socket file without a listener is stale; a younger one may be about to get its listener. */
const STALE_FILE_AGE_MS = 100;

/** Returns the lock's address: abstract on Linux, elsewhere a file in the temporary folder (per user on macOS). */
export function lockAddress(name: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'linux' ? `\0lastcall-${name}` : join(tmpdir(), `lastcall-${name}.sock`);
}

/** Resolves to whether a process holds the lock at the address, and to true in doubt. Does not take the lock. */
export async function isHeld(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

/** A handle to the lock at an address. Of all handles on the host, only one holds the lock at a time. */
export class HostLock {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #waiters = new Set<Socket>();
  #server: Server | undefined;
  /** The connection to the process that holds the lock, while this one waits. */
  #holder: Socket | undefined;

  constructor(address: string, clock: Clock = systemClock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** Resolves to whether this handle now holds the lock. Rejects with the system's error if no process can take it. */
  async tryAcquire(): Promise<boolean> {
    if (this.#server) return true;
    if (await this.#listen()) return true;
    return (await this.#removeStaleFile()) && (await this.#listen());
  }

  /** Takes the lock once it is free. Rejects with the signal's reason, or as `tryAcquire` does. */
  async acquire(signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      while (!(await this.tryAcquire())) await this.waitForChange(signal);
    } finally {
      this.stopWaiting();
    }
    if (!signal.aborted) return;
    this.release();
    throw signal.reason;
  }

  /**
   * Resolves when another try may succeed: the holder is gone, or 500 ms have passed. Rejects with the signal's reason. Keeps
   * a connection to the holder, until `stopWaiting`.
   */
  async waitForChange(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(MIN_RETRY_INTERVAL_MS, signal);
    // An error is followed by `close`.
    if (!this.#holder || this.#holder.destroyed)
      this.#holder = connect(this.#address)
        .on('error', () => {})
        .resume();
    await this.#waitForClose(this.#holder, signal);
  }

  /** Resolves once nobody seems to hold the lock, without taking it. Rejects with the signal's reason. */
  async whenFree(signal: AbortSignal): Promise<void> {
    try {
      do await this.waitForChange(signal);
      while (await isHeld(this.#address));
    } finally {
      this.stopWaiting();
    }
  }

  stopWaiting(): void {
    this.#holder?.destroy();
    this.#holder = undefined;
  }

  /** Releases the lock if this handle holds it. Another process can take it at once. */
  release(): void {
    this.#server?.close();
    this.#server = undefined;
    // The server is closed first, because waiters try again as soon as their connection ends.
    for (const waiter of this.#waiters) waiter.destroy();
  }

  async #listen(): Promise<boolean> {
    const server = createServer((waiter) => this.#addWaiter(waiter));
    server.maxConnections = MAX_WAITERS;
    // Without `exclusive`, the workers of a cluster would share one listener, and all would hold the lock.
    server.listen({ path: this.#address, exclusive: true });
    try {
      await once(server, 'listening');
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') return false;
      throw error;
    }
    server.on('error', () => {});
    // The lock must not keep the process alive.
    this.#server = server.unref();
    return true;
  }

  #addWaiter(waiter: Socket): void {
    this.#waiters.add(waiter.unref());
    waiter.on('close', () => this.#waiters.delete(waiter));
    waiter.on('error', () => {});
    // The end of a connection is noticed only while it is read. Data is not expected.
    waiter.on('data', () => waiter.destroy());
  }

  /** Resolves when the connection closes, or after `RETRY_INTERVAL_MS`. Rejects with the signal's reason. */
  async #waitForClose(holder: Socket, signal: AbortSignal): Promise<void> {
    // AbortSignal.any would leak in a loop: Node 20 keeps what it returns for as long as the source signal lives.
    const wake = new AbortController();
    const onWake = () => wake.abort();
    const ignoreSignal = onAbort(signal, onWake);
    holder.once('close', onWake);
    try {
      await this.#clock.sleep(RETRY_INTERVAL_MS, wake.signal);
    } catch {
      signal.throwIfAborted();
    } finally {
      ignoreSignal();
      holder.off('close', onWake);
    }
  }

  /** Removes the socket file that a dead process has left. Resolves to whether there was one. */
  async #removeStaleFile(): Promise<boolean> {
    if (this.#address.startsWith('\0')) return false;
    const before = staleFileId(this.#address);
    if (before === undefined || (await isHeld(this.#address))) return false;
    // A living process may have replaced the file in the meantime.
    if (staleFileId(this.#address) !== before) return false;
    unlinkSync(this.#address);
    return true;
  }
}

/** An id that changes when the file is replaced, or undefined if there is no file or it is not stale yet. */
function staleFileId(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || Math.abs(Date.now() - stat.mtimeMs) < STALE_FILE_AGE_MS) return undefined;
  return `${stat.dev} ${stat.ino} ${stat.mtimeMs}`;
}
