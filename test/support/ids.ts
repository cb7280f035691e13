/** Lists of numbers of the inbox. */
import { type Seq, seq, type UpdateId, updateId } from '../../src/inbox/ids.js';

export const seqs = (...numbers: readonly number[]): Seq[] => numbers.map(seq);
export const updateIds = (...ids: readonly number[]): UpdateId[] => ids.map(updateId);
