/** Where something is in the log. Positions do not change when old segments are removed. */
import type { Branded } from '../../branded.js';

/** A byte position in the log, counted from the first byte that was ever written to it. */
export type Position = Branded<number, 'Position'>;

export const position = (bytes: number): Position => bytes as Position;

/** The bytes of one record in the log. */
export interface Extent {
  readonly position: Position;
  /** In bytes. */
  readonly length: number;
}
