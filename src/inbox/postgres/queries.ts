/** What is asked of the database. */
import type { Row } from './row.js';

/** A statement, and what a row of its answer is. One that has a name is prepared once a connection. */
export interface Query<R> {
  readonly name?: string;
  readonly text: string;
  /** How long the answer may take, before the connection counts as lost. Default: that of the session. */
  readonly timeoutMs?: number;
  /** Default: the rows are not looked at. */
  readonly row?: (row: Row) => R;
}

export interface Queries {
  /** Runs a statement. Rejects with a LastcallError: INBOX_DATABASE_AWAY, INBOX_DATABASE_REFUSED, INBOX_DATABASE_FAILED. */
  query<R>(query: Query<R>, values?: readonly unknown[]): Promise<readonly R[]>;
}
