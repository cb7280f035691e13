/**
 * What a failure of the database means. Three kinds matter: it is away and comes back, it refuses for good, and lastcall
 * (or somebody who has changed the tables) is wrong.
 */
import { LastcallError } from '../../errors.js';
import { codeOf } from '../../system-error.js';
import { describeThrown, isLastcallError } from '../../thrown.js';

type Kind = 'away' | 'refused' | 'failed' | 'pooled';

/** Each row: what a code of the server (SQLSTATE) begins with, what it means, and why. The first that fits counts. */
const byState: readonly (readonly [prefix: string, kind: Kind, why: string])[] = [
  ['08P01', 'pooled', 'a parameter of the start that PostgreSQL itself knows is unknown'],
  ['08', 'away', 'the connection has failed'],
  ['0A000', 'away', 'a prepared statement is older than its table; a new connection prepares it again'],
  ['25006', 'away', 'the server is a standby, or was the primary before a fail-over'],
  ['26000', 'away', 'the session has lost its prepared statements'],
  ['28', 'refused', 'the password, the user, or pg_hba.conf'],
  ['3D000', 'refused', 'there is no such database'],
  ['40', 'away', 'a deadlock, or a commit whose outcome is not known; the statement may be repeated'],
  ['42501', 'refused', 'the role lacks rights'],
  ['53', 'away', 'the server lacks connections, memory or room on its disk'],
  ['55000', 'away', 'the server is not in a state for it, such as a standby that starts'],
  ['55P03', 'away', 'somebody else holds a lock'],
  ['57', 'away', 'the server stops, has crashed, starts, or has cancelled the statement'],
  ['58', 'away', 'the disk of the server fails'],
  ['XX', 'away', 'the server has an internal error'],
];

/** Codes of Node where TLS is refused: no longer patience makes a certificate valid. */
const tlsCodes = /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

/** Messages of the driver, which have no code. */
const driverMessages: readonly (readonly [message: RegExp, kind: Kind])[] = [
  [/does not support SSL connections/, 'refused'],
  [/^SASL: |client password must be a string|password must be a string/i, 'refused'],
  [/Cannot find module|Invalid sslnegotiation|requires SSL to be enabled|SECURITY WARNING/, 'refused'],
  [/unsupported startup parameter/, 'pooled'],
];

/** Codes of files that the URL names: a certificate or a key that cannot be read. A socket gives the first one, too. */
const fileCodes = new Set(['EACCES', 'EISDIR', 'ENOTDIR', 'ENOENT']);

/** Returns the error of lastcall that a failure of the database is. */
export function databaseError(error: unknown): LastcallError {
  if (isLastcallError(error)) return error;
  const kind = kindOf(error);
  // The error of several addresses that were tried has only a code.
  const said = describeThrown(error) || codeOf(error);
  switch (kind) {
    case 'away':
      return new LastcallError('INBOX_DATABASE_AWAY', 'INBOX', `the database cannot do it now: ${said}`, {
        cause: error,
      });
    case 'refused':
      return new LastcallError('INBOX_DATABASE_REFUSED', 'INBOX', `the database refuses: ${said}`, {
        cause: error,
      });
    case 'pooled':
      return new LastcallError('INBOX_DATABASE_POOLED', 'INBOX', `a pooler refuses the session: ${said}`, {
        cause: error,
      });
    case 'failed':
      return new LastcallError(
        'INBOX_DATABASE_FAILED',
        'INBOX',
        `the database has rejected a statement: ${said}`,
        { cause: error },
      );
  }
}

/** Whether it may come right by itself: what was asked is to be asked again, once there is a connection. */
export function isAway(error: unknown): boolean {
  return isLastcallError(error) && error.code === 'INBOX_DATABASE_AWAY';
}

/**
 * Whether the connection is gone, or only another one can help: to the primary of now, or with statements prepared anew.
 * Whatever the server has not said is of the connection.
 */
export function needsNewConnection(error: unknown): boolean {
  if (!hasSeverity(error)) return true;
  return /^(?:08...|0A000|25006|26000|57P0[1-5])$/.test(codeOf(error) ?? '');
}

function kindOf(error: unknown): Kind {
  const code = codeOf(error) ?? '';
  const message = describeThrown(error);
  const fitting = driverMessages.find(([pattern]) => pattern.test(message));
  if (fitting) return fitting[1];
  if (/^[0-9A-Z]{5}$/.test(code) && hasSeverity(error))
    return byState.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 'failed';
  if (tlsCodes.test(code)) return 'refused';
  if (fileCodes.has(code) && !isOfSocket(error)) return 'refused';
  return /^E[A-Z]/.test(code) || /connection|timeout|socket|not queryable/i.test(message) ? 'away' : 'failed';
}

/** Errors of the server have a severity; those of Node do not, though some codes look alike (`EPIPE`). */
function hasSeverity(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'severity' in error;
}

function isOfSocket(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error && error.syscall === 'connect';
}
