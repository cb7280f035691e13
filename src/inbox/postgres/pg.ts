/** Takes from the package `pg` what the inbox needs. It is optional: it is loaded only where the inbox is a database. */
import type { Client } from 'pg';
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';
import type { Connect, Connection, ConnectionListener, Statement } from './connection.js';

/** How long the socket may be silent before the operating system asks whether the other side is still there. */
const KEEPALIVE_DELAY_MS = 2_000;

/** Loads the driver for a URL. @throws LastcallError INBOX_PACKAGE_MISSING, INBOX_DATABASE_REFUSED */
export async function createDriver(url: string, load = () => import('pg')): Promise<Connect> {
  const { default: pg } = await load().catch((error: unknown) => {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND' && codeOf(error) !== 'MODULE_NOT_FOUND') throw error;
    const message = 'the inbox in PostgreSQL needs the package pg, which is not installed';
    throw new LastcallError('INBOX_PACKAGE_MISSING', 'pg', message);
  });
  return async (listener, signal) => {
    signal.throwIfAborted();
    const client = new pg.Client({
      connectionString: withExplicitVerification(url),
      fallback_application_name: 'lastcall',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    });
    return open(client, listener, signal);
  };
}

async function open(client: Client, listener: ConnectionListener, signal: AbortSignal): Promise<Connection> {
  let failure: unknown;
  // An error without a listener would be a fault of the process. It is followed by the end.
  client.on('error', (error: unknown) => {
    failure ??= error;
  });
  client.on('end', () => listener.closed(failure ?? new Error('the connection has ended')));
  const drop = () => client.connection.stream.destroy();
  signal.addEventListener('abort', drop, { once: true });
  try {
    await client.connect();
  } catch (error) {
    drop();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', drop);
  }
  client.on('notification', ({ channel, payload = '' }) => listener.notified(channel, payload));
  return {
    async run({ values, ...statement }: Statement) {
      const { rows } = await client.query<Record<string, unknown>>({
        ...statement,
        ...(values && { values: [...values] }),
      });
      return rows;
    },
    end: () => client.end(),
    destroy: drop,
  };
}

/**
 * The modes `prefer`, `require` and `verify-ca` mean `verify-full` to `pg`, which writes a warning about that on stderr.
 * The same is said here in so many words. Where the URL asks for the meaning of libpq, its modes stay.
 */
function withExplicitVerification(url: string): string {
  if (/[?&]uselibpqcompat=true\b/.test(url)) return url;
  return url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}
