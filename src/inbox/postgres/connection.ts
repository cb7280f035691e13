/** What this folder needs of a database driver: one connection that runs one statement at a time. */

/** A statement for the server. One that has a name is prepared once a connection, and then only run. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Connection {
  /** Runs a statement; resolves with its rows. Several statements without values may stand in one text. */
  run(statement: Statement): Promise<readonly unknown[]>;
  /** Says goodbye to the server. */
  end(): Promise<void>;
  /** Drops the connection at once; what runs on it is rejected. */
  destroy(): void;
}

export interface ConnectionListener {
  /** A notification of a channel that the connection listens to. */
  notified(channel: string, payload: string): void;
  /** The connection is gone. Called once, also after `end` and `destroy`. */
  closed(error: unknown): void;
}

/** Opens a connection. When the signal aborts, an attempt that has not ended is dropped. */
export type Connect = (listener: ConnectionListener, signal: AbortSignal) => Promise<Connection>;
