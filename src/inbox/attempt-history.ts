/** How often an update was begun, and how that ended: by this is decided when it is tried again, and when it is given up. */
export interface AttemptHistory {
  /** How often the handler has begun. */
  readonly attempts: number;
  /** How often the process died while the handler was at work, since the update was put back last. */
  readonly deaths: number;
  /** How often a stop has cut the handler, since the update was put back last. */
  readonly cuts: number;
  /** How often the handler has failed and the update was put back. */
  readonly putBacks: number;
  /** How many of the times that the update was put back count as retries of a failing handler. */
  readonly retries: number;
}
