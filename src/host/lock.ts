/**
 * A lock that one process on a host can hold and that dies with it: a socket that listens, which the kernel closes
 * whatever ends the process. Nothing is said through it, and nobody who connects is believed anything: those who wait
 * only stay connected, to hear by the end of the connection that it is worth another try.
 */
import { once } from 'node:events';
import { statSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onAbort } from '../abort.js';
import { type Clock, systemClock } from '../clock.js';
import { codeOf } from '../system-error.js';

/** The safety net: a waiter tries this often even if it never hears that the holder has gone. */
const TRY_EVERY_MS = 500;
/** And never more often than this, whoever it is that listens there and hangs up at once. */
const BETWEEN_TRIES_MS = 20;
/** More than ever stand by for one bot; whoever connects beyond that is hung up on, and has the safety net. */
const MOST_WAITERS = 64;
/** A socket file that nobody listens on is left behind by a dead process; a young one, by one about to listen. */
const YOUNG_FILE_MS = 1_000;

/**
 * Where the lock of this name is. On Linux a name without a file, one a network namespace; elsewhere a socket file in
 * the folder for temporary files, which on macOS each user has one of.
 */
export function lockAddress(name: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'linux' ? `\0lastcall-${name}` : join(tmpdir(), `lastcall-${name}.sock`);
}

/** Whether any process holds the lock at this address now; in doubt, yes. Keeps nobody from taking it. */
export const isHeld = (address: string): Promise<boolean> => answers(address);

export class HostLock {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #waiters = new Set<Socket>();
  #server: Server | undefined;

  constructor(address: string, clock: Clock = systemClock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** Resolves to whether this object holds the lock now. Rejects when the system lets nobody have it. */
  async tryAcquire(): Promise<boolean> {
    if (this.#server) return true;
    if (await this.#listen()) return true;
    return (await this.#clearDeadFile()) && (await this.#listen());
  }

  /**
   * Waits until nobody else holds the lock, and takes it: at once when the holder releases it or dies. Rejects with the
   * signal's reason when that aborts, and when the system lets nobody have it.
   */
  async acquire(signal: AbortSignal): Promise<void> {
    let holder: Socket | undefined;
    try {
      signal.throwIfAborted();
      while (!(await this.tryAcquire())) {
        await this.#clock.sleep(BETWEEN_TRIES_MS, signal);
        if (!holder || holder.destroyed) holder = connectTo(this.#address);
        await this.#closed(holder, signal);
      }
    } finally {
      holder?.destroy();
    }
    if (!signal.aborted) return;
    this.release();
    throw signal.reason;
  }

  /** Gives the lock back, if this object holds it. From when this returns somebody else can have it. */
  release(): void {
    this.#server?.close();
    this.#server = undefined;
    // Only now: who hears of it tries at once.
    for (const waiter of this.#waiters) waiter.destroy();
  }

  async #listen(): Promise<boolean> {
    const server = createServer((waiter) => this.#receive(waiter));
    server.maxConnections = MOST_WAITERS;
    // `exclusive`, because the workers of a cluster would share one listener, and all believe that they hold it.
    server.listen({ path: this.#address, exclusive: true });
    try {
      await once(server, 'listening');
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE') return false;
      throw error;
    }
    server.on('error', () => {});
    // The lock keeps no process alive; what it protects does.
    this.#server = server.unref();
    return true;
  }

  #receive(waiter: Socket): void {
    this.#waiters.add(waiter.unref());
    waiter.on('close', () => this.#waiters.delete(waiter));
    waiter.on('error', () => {});
    // It is read only to notice its end: a waiter has nothing to say.
    waiter.on('data', () => waiter.destroy());
  }

  /** Resolves when the connection to the holder closes, or after `TRY_EVERY_MS`. Rejects with the signal's reason. */
  async #closed(holder: Socket, signal: AbortSignal): Promise<void> {
    // Not AbortSignal.any: Node 20 keeps each of its signals for as long as its sources live.
    const wake = new AbortController();
    const onWake = () => wake.abort();
    const ignoreSignal = onAbort(signal, onWake);
    holder.once('close', onWake);
    try {
      await this.#clock.sleep(TRY_EVERY_MS, wake.signal);
    } catch {
      signal.throwIfAborted();
    } finally {
      ignoreSignal();
      holder.off('close', onWake);
    }
  }

  /** Removes the socket file of a process that is dead; resolves to whether there was one. */
  async #clearDeadFile(): Promise<boolean> {
    if (this.#address.startsWith('\0')) return false;
    const before = fileId(this.#address);
    if (before === undefined || (await answers(this.#address))) return false;
    // Between the question and the answer the file may have become another one, of a process that lives.
    if (fileId(this.#address) !== before) return false;
    unlinkSync(this.#address);
    return true;
  }
}

function connectTo(address: string): Socket {
  // `close` comes after an error as well.
  return connect(address)
    .on('error', () => {})
    .resume();
}

/** Whether anybody listens there; in doubt, yes. */
async function answers(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Where the address is a file, there may be none.
    return codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}

/** Tells a file from another of the same name; undefined where there is none, or it is young. */
function fileId(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || Date.now() - stat.mtimeMs < YOUNG_FILE_MS) return undefined;
  return `${stat.dev} ${stat.ino} ${stat.mtimeMs}`;
}
