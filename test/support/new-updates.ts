/** Updates as a store takes them, each with a content of its own. */
import type { NewUpdates } from '../../src/inbox/journal/store.js';

export interface NewRow {
  readonly updateId: number;
  readonly key: string;
  readonly kind: string;
  readonly content: unknown;
}

export function newUpdates(rows: readonly NewRow[]): NewUpdates {
  return {
    updates: rows.map(({ updateId, key, kind }, place) => ({ updateId, key, kind, place })),
    contents: Buffer.from(JSON.stringify(rows.map(({ content }) => content))),
  };
}
