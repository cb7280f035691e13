/** What is known of an update. The page imports these types, too, and so they need nothing of Node. */

/** Where an update is: the first two are in the queue, and the others have left it. */
export type UpdateState = 'waiting' | 'delivered' | 'confirmed' | 'expired' | 'dropped';

export interface Delivery {
  readonly atMs: number;
  /** The number of the `getUpdates` call; undefined for a second program's poll. */
  readonly call?: number | undefined;
  /** Whether the caller still listened. */
  readonly received: boolean;
}

export interface Answer {
  readonly atMs: number;
  /** The number of the call. */
  readonly call: number;
  readonly method: string;
}

/** What is known of an update. */
export interface UpdateRecord {
  readonly id: number;
  readonly kind: string;
  readonly chat: number | undefined;
  readonly queuedAtMs: number;
  readonly state: UpdateState;
  /** How often the update was delivered. */
  readonly deliveryCount: number;
  readonly deliveries: readonly Delivery[];
  /** When the update left the queue. */
  readonly leftAtMs?: number;
  /** The offset that has confirmed the update. */
  readonly confirmedBy?: number;
  readonly answerCount: number;
  /** The first calls by which the bot has answered, as far as the sandbox can tell what a call answers. */
  readonly answers: readonly Answer[];
  /** The update as JSON. */
  readonly json: string;
}
