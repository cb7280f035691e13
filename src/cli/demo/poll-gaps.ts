/** Measures for how long nobody polled. */
import type { Call } from '../../sandbox/calls.js';

/** Times by one monotonic clock, in milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Returns the times between the beginnings of one poll and the next. */
export function gapsBetween(polls: readonly Pick<Call, 'atMs'>[]): readonly Span[] {
  return polls.slice(1).map(({ atMs }, index) => ({ fromMs: polls[index]?.atMs ?? atMs, toMs: atMs }));
}

/** Whether the spans have any time in common. */
export const overlaps = (one: Span, other: Span): boolean =>
  one.fromMs < other.toMs && other.fromMs < one.toMs;

/** Returns the length of the longest, 0 without any. */
export const longest = (spans: readonly Span[]): number =>
  Math.max(0, ...spans.map(({ fromMs, toMs }) => toMs - fromMs));
