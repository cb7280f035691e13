/** Brings the tables to the version that this lastcall works with, by one process at a time. */
import { onAbort } from '../../abort.js';
import type { Clock } from '../../clock.js';
import { LastcallError } from '../../errors.js';
import { isLastcallError } from '../../thrown.js';
import { isAway } from './failure.js';
import type { Queries, Query } from './queries.js';
import { type Migration, migrations, SCHEMA } from './schema.js';
import type { Session } from './session.js';

export interface MigrationResult {
  /** The version before; undefined where there were no tables. */
  readonly from: number | undefined;
  readonly to: number;
}

export interface MigrateOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Default: all that this lastcall knows. */
  readonly steps?: readonly Migration[];
}

interface Version {
  readonly version: number;
  /** The oldest version whose processes can work on these tables. */
  readonly least: number;
}

/** How long a step may take: an index on a large table takes its time. */
const STEP_TIMEOUT_MS = 10 * 60_000;

/** How long to wait before looking again whether another process has made the tables. */
const LOOK_AGAIN_MS = 200;

/**
 * Makes the tables, or brings them up to date. Does nothing where they are, or are newer but such that this version can work
 * on them. Repeats while the database is away. Rejects with INBOX_SCHEMA_NEWER, INBOX_DATABASE_REFUSED (the role may not do
 * it), or the signal's reason.
 */
export async function migrate(
  session: Session,
  { clock, signal, steps = migrations }: MigrateOptions,
): Promise<MigrationResult> {
  for (;;) {
    await session.whenConnected(signal);
    // A step may take long. The server rolls back what it has begun.
    const removeListener = signal && onAbort(signal, () => session.reset());
    try {
      const result = await migrateOnce(session, steps).finally(removeListener);
      if (result) return result;
      await clock.sleep(LOOK_AGAIN_MS, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isAway(error)) throw error;
      await clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }
}

/** Resolves with undefined where another process is at it. */
async function migrateOnce(
  session: Session,
  steps: readonly Migration[],
): Promise<MigrationResult | undefined> {
  const known = steps.at(-1)?.version ?? 0;
  const before = await readVersion(session);
  assertUnderstood(before, known);
  if (before && before.version >= known) return { from: before.version, to: before.version };
  try {
    return await session.transaction(async (queries) => {
      const [isOurs] = await queries.query(tryLock);
      if (!isOurs) return undefined;
      // Another process may have been at it in between.
      const from = await readVersion(queries);
      assertUnderstood(from, known);
      if (!from) await createSchema(queries);
      for (const step of steps) if (step.version > (from?.version ?? 0)) await take(queries, step);
      return { from: from?.version, to: Math.max(known, from?.version ?? 0) };
    });
  } catch (error) {
    if (!isLastcallError(error) || error.code !== 'INBOX_DATABASE_REFUSED') throw error;
    const what = before ? `are of version ${before.version}, and are to become ${known}` : 'do not exist yet';
    throw new LastcallError(
      'INBOX_DATABASE_REFUSED',
      'INBOX',
      `the tables in the schema ${SCHEMA} ${what}, but the role in INBOX may not do that: ${error.message}`,
      { cause: error },
    );
  }
}

async function createSchema(queries: Queries): Promise<void> {
  const [exists] = await queries.query(schemaExists);
  // Only if need be: a role that owns the schema need not have the right to make one.
  if (!exists) await queries.query({ text: `create schema ${SCHEMA}` });
  await queries.query({
    text: 'create table version (version integer not null, least integer not null, at timestamptz not null default now())',
  });
}

async function take(queries: Queries, { version, least, statements }: Migration): Promise<void> {
  for (const text of statements) await queries.query({ text, timeoutMs: STEP_TIMEOUT_MS });
  await queries.query({ text: 'delete from version' });
  await queries.query({ text: 'insert into version (version, least) values ($1, $2)' }, [version, least]);
}

/** Whether the database has tables of lastcall, of whatever version. */
export async function hasTables(queries: Queries): Promise<boolean> {
  const [exists = false] = await queries.query(versionExists);
  return exists;
}

/** The version of the tables; undefined where there are none. */
export async function readVersion(queries: Queries): Promise<Version | undefined> {
  if (!(await hasTables(queries))) return undefined;
  const [version] = await queries.query(currentVersion);
  return version;
}

function assertUnderstood(found: Version | undefined, known: number): void {
  if (!found || found.least <= known) return;
  throw new LastcallError(
    'INBOX_SCHEMA_NEWER',
    'INBOX',
    `the tables in the database are of version ${found.version} and need a lastcall that knows version ${found.least}; this one knows ${known}`,
  );
}

/** The number stands for lastcall's migrations among the advisory locks of the database. */
const tryLock: Query<boolean> = {
  text: 'select pg_try_advisory_xact_lock(5120117211) as ours',
  row: (row) => row.boolean('ours'),
};
const schemaExists: Query<boolean> = {
  text: `select to_regnamespace('${SCHEMA}') is not null as found`,
  row: (row) => row.boolean('found'),
};
const versionExists: Query<boolean> = {
  text: `select to_regclass('${SCHEMA}.version') is not null as found`,
  row: (row) => row.boolean('found'),
};
const currentVersion: Query<Version> = {
  text: `select version, least from ${SCHEMA}.version`,
  row: (row) => ({ version: row.integer('version'), least: row.integer('least') }),
};
