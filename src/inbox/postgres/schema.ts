/** The versions of the schema, and what leads from each to the next. */
import { tables } from './tables.js';

/** The schema that holds all tables, for all bots of the database. */
export const SCHEMA = 'lastcall';

export interface Migration {
  readonly version: number;
  /**
   * The oldest version of lastcall's schema whose processes can work on the tables after this step. A step that only adds
   * keeps that of the step before, so that hosts can be updated one after the other.
   */
  readonly least: number;
  readonly statements: readonly string[];
}

/** The moves of inboxes that are done; see `transfer.ts`. */
const moves =
  'create table moves (id text primary key, bot text not null, at timestamptz not null default clock_timestamp())';

/** These tables fill and empty all the time: what is dead is to go soon, and at once. */
const autovacuum = ['updates', 'lanes'].map(
  (table) =>
    `alter table ${table} set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`,
);

/**
 * How often it was not known whether a claim of the process was carried out. Each claim names the number, so that one that
 * was given up, and is carried out only later, has no effect.
 */
const claimRound = 'alter table hosts add column claim_round bigint not null default 0';

/** A step that was released is never changed: what is to be otherwise is a further step. */
export const migrations: readonly Migration[] = [
  { version: 1, least: 1, statements: [...tables, moves, ...autovacuum] },
  { version: 2, least: 1, statements: [claimRound] },
];
