/** A PostgreSQL server for the bench, with the settings that a server has by default, and what it does. */
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { tsImport } from 'tsx/esm/api';

/** The kernel tells a process's time in hundredths of a second. */
const TICK_MS = 10;

export class BenchDatabase {
  #server;
  #client;
  #postmaster;
  url;

  static async start() {
    const { PostgresServer } = await tsImport('../../support/postgres.ts', import.meta.url);
    const database = new BenchDatabase();
    // The server of the tests does without safety.
    const settings = { fsync: 'on', shared_buffers: '128MB', shared_preload_libraries: 'pg_stat_statements' };
    database.#server = await PostgresServer.start({ settings });
    return database;
  }

  /** Makes a database that is empty, in place of the one before. */
  async renew() {
    await this.#client?.end();
    this.url = await this.#server.createDatabase();
    this.#client = new pg.Client({ connectionString: this.url });
    await this.#client.connect();
    await this.#client.query('create extension pg_stat_statements');
    const pid = await this.number('pg_backend_pid()');
    this.#postmaster = Number(statOf(pid)?.[1]);
  }

  /** What an expression comes to that is a number. */
  async number(expression) {
    const { rows } = await this.#client.query(`select (${expression})::float8 as number`);
    return rows[0].number;
  }

  /** What the server's processes have used, in milliseconds, those that have ended included; NaN without /proc. */
  cpuMs() {
    const ticks = this.#processes().map((fields) => {
      const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
      const isParent = Number(fields[1]) !== this.#postmaster;
      return user + system + (isParent ? childrenUser + childrenSystem : 0);
    });
    return ticks.length === 0 ? Number.NaN : ticks.reduce((sum, number) => sum + number, 0) * TICK_MS;
  }

  /** How many statements were run in the database, that of this call not included. */
  statements() {
    return this.number(`
      select coalesce(sum(calls), 0) from pg_stat_statements s join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and s.query not like '%pg_stat_statements%'`);
  }

  /** How much was written ahead of the data, in bytes. */
  walBytes() {
    return this.number("pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");
  }

  async stop() {
    await this.#client?.end();
    await this.#server.stop();
  }

  #processes() {
    if (!Number.isInteger(this.#postmaster)) return [];
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => ({ pid: Number(pid), fields: statOf(pid) }))
      .filter(({ pid, fields }) => pid === this.#postmaster || Number(fields?.[1]) === this.#postmaster)
      .map(({ fields }) => fields);
  }
}

/** The fields of a process behind its name: its state, its parent, and so on. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
