/** systemd's notify protocol, sent as datagrams through a native package, since Node has no Unix datagram sockets. */
import { LastcallError } from '../errors.js';
import type { Supervisor } from './supervisor.js';

/** The part of a Unix datagram socket that is used. */
export interface DatagramSocket {
  /** Sends now, or when the receiver has room. `sent` is called with the error if sending fails. */
  sendTo(message: Buffer, offset: number, length: number, path: string, sent: (error?: Error) => void): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Connects to systemd at the address in NOTIFY_SOCKET, and checks the connection by a first message. Rejects with
 * NOTIFY_UNAVAILABLE if messages cannot be sent.
 */
export async function connectToSystemd(
  address: string,
  env: Environment,
  load: () => Promise<new () => DatagramSocket> = async () => (await import('node-unix-socket')).DgramSocket,
): Promise<Supervisor> {
  // node-unix-socket pads abstract names (`@name`) with zeros, which changes them. systemd's system and user managers use
  // paths.
  if (!address.startsWith('/')) throw unavailable(address, 'only a socket in the file system can be reached');
  const Socket = await load().catch((error: unknown) => {
    throw unavailable(address, 'the package node-unix-socket cannot be loaded', error);
  });

  // A socket for each message: an open one would keep the process alive, even for a bot program that has come to its end.
  const send = (message: string, sent: (error?: Error) => void = () => {}) => {
    const bytes = Buffer.from(message);
    let socket: DatagramSocket | undefined;
    const end = (error?: Error) => {
      socket?.close();
      sent(error);
    };
    try {
      socket = new Socket();
      // Failures are reported to the callback of `sendTo`.
      socket.on('error', () => {});
      socket.sendTo(bytes, 0, bytes.length, address, end);
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  };
  let failure: Error | undefined;
  send('STATUS=starting', (error) => {
    failure = error;
  });
  if (failure) throw unavailable(address, 'the socket takes no messages', failure);

  return {
    kind: 'systemd',
    // There is no `stopLimitMs`: systemd does not tell its TimeoutStopSec, and grants more time on request.
    watchdogMs: watchdogMsOf(env),
    ready: () => send('READY=1'),
    status: (text) => send(`STATUS=${text.replaceAll(/\s+/g, ' ')}`),
    extend(ms) {
      if (Number.isFinite(ms)) send(`EXTEND_TIMEOUT_USEC=${Math.ceil(ms) * 1_000}`);
    },
    stopping: () => send('STOPPING=1'),
    ping: () => send('WATCHDOG=1'),
  };
}

/** Returns the unit's WatchdogSec in milliseconds, if it is set. */
export function watchdogMsOf({ WATCHDOG_USEC: microseconds }: Environment): number | undefined {
  const ms = Number(microseconds) / 1_000;
  return ms > 0 && Number.isFinite(ms) ? ms : undefined;
}

function unavailable(address: string, why: string, cause?: unknown): LastcallError {
  const detail = cause instanceof Error ? ` (${cause.message.split('\n', 1)[0]})` : '';
  return new LastcallError(
    'NOTIFY_UNAVAILABLE',
    'NOTIFY_SOCKET',
    `systemd expects notifications on ${address}, which cannot be sent: ${why}${detail}`,
    { cause },
  );
}
