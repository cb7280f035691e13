/** What has become of updates and is not written yet. Of several changes of an update, only the last one counts. */
import type { Seq } from '../ids.js';
import type { DeadReason } from '../inbox.js';
import type { ReturnedLane } from './reserve.js';

export type Change =
  | { readonly kind: 'settled' }
  | {
      readonly kind: 'given up';
      readonly why: DeadReason;
      readonly error: string | undefined;
      readonly attempts: number;
    }
  | {
      readonly kind: 'put back';
      readonly attempts: number;
      readonly putBacks: number;
      readonly retries: number;
      readonly delayMs: number;
    };

/** Changes that are written together. Writing them twice is the same as writing them once. */
export interface ChangeSet {
  readonly host: number;
  readonly marks: readonly Seq[];
  readonly changes: ReadonlyMap<Seq, Change>;
  readonly returned: readonly ReturnedLane[];
  /** Whether the process stops, so that what its end cuts off counts as cut by a stop. */
  readonly isDraining: boolean;
}

/** The values of the statement `change`. */
export function valuesOf({ host, marks, changes, returned, isDraining }: ChangeSet): readonly unknown[] {
  const settled: Seq[] = [];
  const givenUp: [Seq[], string[], (string | null)[], number[]] = [[], [], [], []];
  const putBack: [Seq[], number[], number[], number[], number[]] = [[], [], [], [], []];
  for (const [seq, change] of changes) {
    switch (change.kind) {
      case 'settled':
        settled.push(seq);
        break;
      case 'given up':
        pushAll(givenUp, [seq, change.why, change.error ?? null, change.attempts]);
        break;
      case 'put back':
        pushAll(putBack, [seq, change.attempts, change.putBacks, change.retries, change.delayMs]);
    }
  }
  return [
    host,
    marks,
    settled,
    ...givenUp,
    ...putBack,
    returned.map(({ key }) => key),
    returned.map(({ given }) => given),
    returned.map(({ settledUpTo }) => settledUpTo),
    isDraining,
  ];
}

function pushAll<R extends unknown[]>(columns: { [C in keyof R]: R[C][] }, row: R): void {
  for (const [index, value] of row.entries()) columns[index]?.push(value);
}
