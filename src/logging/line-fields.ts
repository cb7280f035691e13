/** Adapts fields to their form in a log line. */

/** Renames `error` to pino's `err`, and rounds times to a tenth of a millisecond. */
export function lineFields(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => {
    if (name === 'error') return ['err', value] as const;
    if (name.endsWith('Ms') && typeof value === 'number') return [name, roundedMs(value)] as const;
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

/** Rounds to a tenth of a millisecond. Returns null for an infinite time, as JSON does. */
export function roundedMs(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms * 10) / 10 : null;
}
