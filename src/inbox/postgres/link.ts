/** One connection to the database server, whose every answer has to come in time. */
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import type { Connection, Statement } from './connection.js';
import { databaseError, needsNewConnection } from './failure.js';
import type { Queries, Query } from './queries.js';
import { Row } from './row.js';

/** How long the server may take to answer a goodbye. */
const GOODBYE_MS = 1_000;

export interface Link extends Queries {
  /** Resolves when the connection is gone. */
  readonly gone: Promise<LastcallError>;
  /** Whether an answer has not come in time. */
  readonly isLate: boolean;
  end(): Promise<void>;
  destroy(): void;
}

/**
 * @param gone resolves when the connection is gone
 * @param answerTimeoutMs how long an answer may take that has no time of its own, before the connection is dropped
 */
export function linkOver(
  connection: Connection,
  gone: Promise<LastcallError>,
  clock: Clock,
  answerTimeoutMs: number,
): Link {
  let isLate = false;
  return {
    gone,
    get isLate() {
      return isLate;
    },
    async query<R>(
      { row, timeoutMs = answerTimeoutMs, ...statement }: Query<R>,
      values?: readonly unknown[],
    ) {
      let late: LastcallError | undefined;
      const cancel = clock.after(timeoutMs, () => {
        late = noAnswer(timeoutMs);
        isLate = true;
        connection.destroy();
      });
      let rows: readonly unknown[];
      try {
        const asked: Statement = { ...statement, ...(values && { values }) };
        rows = await connection.run(asked);
      } catch (error) {
        if (late || needsNewConnection(error)) {
          connection.destroy();
          // Whoever waits for a connection from now on waits for another one.
          await gone;
        }
        throw late ?? databaseError(error);
      } finally {
        cancel();
      }
      return row ? rows.map((columns) => row(new Row(columns))) : [];
    },
    async end() {
      const cancel = clock.after(GOODBYE_MS, () => connection.destroy());
      await connection.end().catch(() => connection.destroy());
      cancel();
    },
    destroy: () => connection.destroy(),
  };
}

export const noAnswer = (ms: number): LastcallError =>
  new LastcallError('INBOX_DATABASE_AWAY', 'INBOX', `the database has not answered within ${ms / 1_000} s`);
