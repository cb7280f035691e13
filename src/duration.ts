/** Durations that people write with their unit, such as `'30s'`. */

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A duration with its unit (`'500ms'`, `'30s'`, `'2m'`, `'1h'`), or a number of milliseconds. */
export type Duration = number | `${number}${keyof typeof unitsMs}`;

/** Returns a duration in milliseconds, or undefined for what is none. */
export function parseDuration(given: unknown): number | undefined {
  const ms = typeof given === 'number' ? given : typeof given === 'string' ? fromWords(given) : undefined;
  return ms !== undefined && ms >= 0 && Number.isFinite(ms) ? ms : undefined;
}

function fromWords(words: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(words) ?? [];
  return isUnit(unit) ? Number(digits) * unitsMs[unit] : undefined;
}

const isUnit = (name: string): name is keyof typeof unitsMs => Object.hasOwn(unitsMs, name);
