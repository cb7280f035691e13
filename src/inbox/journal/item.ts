/** An update of the journal in memory, on its way to its handler. */
import { type OrderKey, orderKey, type Seq, type UpdateId, updateId } from '../ids.js';
import type { Entry, InboxOptions } from '../inbox.js';

/** What the journal knows of an update besides its content. */
export interface ItemFacts {
  readonly seq: Seq;
  /** See {@link Entry.attempt}. */
  readonly attempt: number;
  /** About what the update takes in memory. */
  readonly bytes: number;
}

export class Item<U extends { readonly update_id: number }> implements Entry<U>, ItemFacts {
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly kind: string;
  readonly attempt: number;
  readonly update: U;
  readonly bytes: number;

  constructor(
    update: U,
    { seq, attempt, bytes }: ItemFacts,
    { keyOf, kindOf }: Pick<InboxOptions<U>, 'keyOf' | 'kindOf'>,
  ) {
    this.seq = seq;
    this.updateId = updateId(update.update_id);
    this.key = orderKey(keyOf(update));
    this.kind = kindOf(update);
    this.attempt = attempt;
    this.update = update;
    this.bytes = bytes;
  }
}
