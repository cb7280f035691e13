/**
 * The statements of the inbox. Each locks in the order that `tables.ts` lays down: what locks anything joins `me` (or
 * `fence`), so that its row is locked before all others.
 */
import type { Query } from '../queries.js';
import type { Row } from '../row.js';

/** A statement that is prepared once a connection, and what a row of its answer is. */
export function prepared(name: string, text: string): Query<void>;
export function prepared<R>(name: string, text: string, row: (row: Row) => R): Query<R>;
export function prepared<R>(name: string, text: string, row?: (row: Row) => R): Query<R> {
  return { name: `lastcall_${name}`, text, ...(row && { row }) };
}
