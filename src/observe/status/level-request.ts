/** A request to change the level of the log for a time. */
import { LONGEST_TIMER_MS } from '../../clock.js';
import { isObject } from '../../json.js';

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface LevelRequest {
  readonly level: (typeof levels)[number];
  readonly forMs: number;
}

/** Reads what was asked for; undefined if that is not a level and a time. */
export function parseLevelRequest(value: unknown): LevelRequest | undefined {
  if (!isObject(value)) return undefined;
  const { forMs } = value;
  const level = levels.find((known) => known === value['level']);
  if (!level || typeof forMs !== 'number' || !(forMs > 0 && forMs <= LONGEST_TIMER_MS)) return undefined;
  return { level, forMs };
}
