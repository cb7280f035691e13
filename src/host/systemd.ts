/**
 * systemd's notify protocol from inside the process: one datagram a message. Node has no unix datagram sockets, so a
 * native package sends them, and is loaded only here.
 */
import { LastcallError } from '../errors.js';
import type { Supervisor } from './supervisor.js';

/** The part of a datagram socket that is used. */
export interface DatagramSocket {
  /** Sends at once, or when the receiver has room; `sent` is called with the error where it cannot. */
  sendTo(message: Buffer, offset: number, length: number, path: string, sent: (error?: Error) => void): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens the way to systemd, and proves it by a first message.
 *
 * @param address what NOTIFY_SOCKET says
 * @throws LastcallError NOTIFY_UNAVAILABLE when systemd waits to be told and there is no way to tell it
 */
export async function connectToSystemd(
  address: string,
  env: Environment,
  openSocket: () => Promise<DatagramSocket> = openUnixDatagramSocket,
): Promise<Supervisor> {
  // The package pads the names of abstract sockets (`@name`) to their full length, which is another name. systemd
  // itself, the system's as the user's, listens on a path.
  if (!address.startsWith('/')) throw unavailable(address, 'only a socket in the file system can be reached');
  const socket = await openSocket().catch((error: unknown) => {
    throw unavailable(address, 'the package node-unix-socket cannot be loaded', error);
  });
  // What becomes of a message is told to its sender; nobody can do anything about it.
  socket.on('error', () => {});

  const send = (message: string, sent: (error?: Error) => void = () => {}) => {
    const bytes = Buffer.from(message);
    try {
      socket.sendTo(bytes, 0, bytes.length, address, sent);
    } catch (error) {
      sent(error instanceof Error ? error : new Error(String(error)));
    }
  };
  let failure: Error | undefined;
  send('STATUS=starting', (error) => {
    failure = error;
  });
  if (failure) {
    socket.close();
    throw unavailable(address, 'the socket takes no messages', failure);
  }

  let isReady = false;
  return {
    kind: 'systemd',
    // systemd tells nobody its TimeoutStopSec, and lets itself be asked for more.
    stopLimitMs: undefined,
    watchdogMs: watchdogOf(env),
    ready() {
      if (!isReady) send('READY=1');
      isReady = true;
    },
    status: (text) => send(`STATUS=${text.replaceAll(/\s+/g, ' ')}`),
    extend(ms) {
      if (Number.isFinite(ms)) send(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms) * 1_000}`);
    },
    stopping: () => send('STOPPING=1'),
    ping: () => send('WATCHDOG=1'),
    close: () => socket.close(),
  };
}

/** WatchdogSec, in milliseconds. */
function watchdogOf({ WATCHDOG_USEC: microseconds }: Environment): number | undefined {
  const ms = Number(microseconds) / 1_000;
  return ms > 0 && Number.isFinite(ms) ? ms : undefined;
}

function unavailable(address: string, why: string, cause?: unknown): LastcallError {
  const detail = cause instanceof Error ? ` (${cause.message.split('\n', 1)[0]})` : '';
  return new LastcallError(
    'NOTIFY_UNAVAILABLE',
    'NOTIFY_SOCKET',
    `systemd waits to be told on ${address} how the bot does, and cannot be: ${why}${detail}`,
    { cause },
  );
}

async function openUnixDatagramSocket(): Promise<DatagramSocket> {
  const { DgramSocket } = await import('node-unix-socket');
  return new DgramSocket();
}
