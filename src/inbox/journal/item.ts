/** An update of the journal in memory, on its way to its handler. */
import { type OrderKey, orderKey, type Seq, type UpdateId, updateId } from '../ids.js';
import type { Entry, InboxOptions } from '../inbox.js';

/** What the journal knows of an update besides its content. */
export interface ItemFacts {
  readonly seq: Seq;
  /** See {@link Entry}. */
  readonly attempt: number;
  readonly putBacks: number;
  readonly retries: number;
  readonly acceptedAtMs: number;
  /** About what the update takes in memory. */
  readonly bytes: number;
}

export class Item<U extends { readonly update_id: number }> implements Entry<U>, ItemFacts {
  readonly seq: Seq;
  readonly updateId: UpdateId;
  readonly key: OrderKey;
  readonly group: string | undefined;
  readonly kind: string;
  readonly attempt: number;
  readonly putBacks: number;
  readonly retries: number;
  readonly acceptedAtMs: number;
  readonly update: U;
  readonly bytes: number;

  constructor(
    update: U,
    { seq, attempt, putBacks, retries, acceptedAtMs, bytes }: ItemFacts,
    { keyOf, groupOf, kindOf }: Pick<InboxOptions<U>, 'keyOf' | 'groupOf' | 'kindOf'>,
    key = orderKey(keyOf(update)),
  ) {
    this.seq = seq;
    this.updateId = updateId(update.update_id);
    this.key = key;
    this.group = groupOf?.(update);
    this.kind = kindOf(update);
    this.attempt = attempt;
    this.putBacks = putBacks;
    this.retries = retries;
    this.acceptedAtMs = acceptedAtMs;
    this.update = update;
    this.bytes = bytes;
  }
}
