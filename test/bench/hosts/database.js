/** A PostgreSQL server for the bench, as safe as by its defaults, and what it does. */
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { tsImport } from 'tsx/esm/api';

/** The kernel counts a process's time in hundredths of a second. */
const TICK_MS = 10;

export class BenchDatabase {
  #server;
  #client;
  #postmaster;
  url;

  static async start(settings = {}) {
    const { PostgresServer } = await tsImport('../../support/postgres.ts', import.meta.url);
    const database = new BenchDatabase();
    database.#server = await PostgresServer.start({ settings: { fsync: 'on', shared_buffers: '128MB', ...settings } });
    return database;
  }

  /** Makes a database that is empty, in place of the one before. */
  async renew() {
    await this.#client?.end();
    this.url = await this.#server.createDatabase();
    this.#client = new pg.Client({ connectionString: this.url });
    await this.#client.connect();
    const { rows } = await this.#client.query('select pg_backend_pid() as pid');
    this.#postmaster = parentOf(rows[0].pid);
  }

  async query(text) {
    const { rows } = await this.#client.query(text);
    return rows;
  }

  /** What the processes of the server have used, in milliseconds; those that have ended are included. */
  cpuMs() {
    let ticks = 0;
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const fields = statOf(name);
      if (!fields) continue;
      const [, parent] = fields;
      const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
      if (Number(name) === this.#postmaster) ticks += user + system + childrenUser + childrenSystem;
      else if (Number(parent) === this.#postmaster) ticks += user + system;
    }
    return ticks * TICK_MS;
  }

  /** How many transactions have ended; each statement of the inbox is one, but for those between `begin` and `commit`. */
  async transactions() {
    await this.#client.query('select pg_stat_clear_snapshot()');
    const [{ number }] = await this.query(
      'select (xact_commit + xact_rollback)::int as number from pg_stat_database where datname = current_database()',
    );
    return number;
  }

  async stop() {
    await this.#client?.end();
    await this.#server.stop();
  }
}

const parentOf = (pid) => Number(statOf(pid)[1]);

/** The fields behind the name of the program: state, parent, … */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
