/** Updates as a store takes them, each with a content of its own. */
import { updateId } from '../../src/inbox/ids.js';
import type { NewUpdates } from '../../src/inbox/store/store.js';

export interface NewRow {
  readonly updateId: number;
  readonly content: unknown;
}

export function newUpdates(rows: readonly NewRow[]): NewUpdates {
  return {
    ids: rows.map((row) => updateId(row.updateId)),
    contentIndexes: rows.map((_, index) => index),
    contents: Buffer.from(JSON.stringify(rows.map(({ content }) => content))),
  };
}
