/** Updates as a store takes them, each with a content of its own. */
import type { NewUpdates } from '../../src/inbox/store/store.js';

export interface NewRow {
  readonly updateId: number;
  readonly content: unknown;
}

export function newUpdates(rows: readonly NewRow[]): NewUpdates {
  return {
    ids: rows.map(({ updateId }) => updateId),
    places: rows.map((_, place) => place),
    contents: Buffer.from(JSON.stringify(rows.map(({ content }) => content))),
  };
}
