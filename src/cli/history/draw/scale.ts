/** Where times and values are in a picture. */
import { durationInWords } from '../../../words.js';
import type { LocalTime } from '../local-time.js';

/** The span of time that a picture shows, and where that is, in pixels. */
export interface TimeScale {
  readonly fromMs: number;
  readonly toMs: number;
  readonly left: number;
  readonly right: number;
}

/** The place of a time; times outside of the span are at its borders. */
export function xOf({ fromMs, toMs, left, right }: TimeScale, ms: number): number {
  const share = toMs > fromMs ? (ms - fromMs) / (toMs - fromMs) : 0;
  return left + Math.min(1, Math.max(0, share)) * (right - left);
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const steps = [
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * SECOND_MS),
  ...[1, 2, 5, 10, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR_MS),
  ...[1, 2, 7, 14].map((days) => days * DAY_MS),
];
const MOST_TICKS = 15;

export interface Tick {
  readonly x: number;
  readonly text: string;
  /** Whether a day begins there. */
  readonly isDay: boolean;
}

export function timeTicks(scale: TimeScale, time: LocalTime): readonly Tick[] {
  const { fromMs, toMs } = scale;
  const stepMs = steps.find((step) => (toMs - fromMs) / step <= MOST_TICKS) ?? 30 * DAY_MS;
  const most = (toMs - fromMs) / MOST_TICKS;
  return time.ticks(fromMs, toMs, Math.max(stepMs, most)).map((ms) => {
    const isDay = time.isMidnight(ms);
    const text = isDay ? time.day(ms) : stepMs < MINUTE_MS ? time.timeOfDay(ms) : time.time(ms);
    return { x: xOf(scale, ms), text, isDay };
  });
}

export interface ValueScale {
  readonly bottom: number;
  readonly top: number;
  readonly ticks: readonly { readonly y: number; readonly text: string }[];
  yOf(value: number): number;
}

/** From zero to a round number. */
export function linearScale(most: number, top: number, bottom: number): ValueScale {
  const magnitude = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const end = [1, 2, 5, 10].map((digit) => digit * magnitude).find((round) => round >= most) ?? most;
  const yOf = (value: number) => bottom - (value / end) * (bottom - top);
  const values = end === 1 ? [0, 1] : [0, end / 2, end];
  return { top, bottom, yOf, ticks: values.map((value) => ({ y: yOf(value), text: inThousands(value) })) };
}

/** From a power of ten to another, of durations in milliseconds. */
export function durationScale(least: number, most: number, top: number, bottom: number): ValueScale {
  const first = Math.floor(Math.log10(Math.max(least, 1)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(most, 1))));
  const yOf = (ms: number) => {
    const share = (Math.log10(Math.max(ms, 10 ** first)) - first) / (last - first);
    return bottom - share * (bottom - top);
  };
  const powers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return {
    ...{ top, bottom, yOf },
    ticks: powers.map((power) => ({ y: yOf(10 ** power), text: roughly(10 ** power) })),
  };
}

/** A tick's duration in one unit where that is short. */
const roughly = (ms: number): string => (ms >= 60_000 ? `${ms / 1_000} s` : durationInWords(ms));

const inThousands = (value: number): string => (value >= 10_000 ? `${value / 1_000}k` : `${value}`);
