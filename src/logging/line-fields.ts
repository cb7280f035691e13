/** Fields as a log line has them. */

/** Puts an error under the name that pino knows it by, and rounds times to a tenth of a millisecond. */
export function lineFields(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => {
    if (name === 'error') return ['err', value] as const;
    if (name.endsWith('Ms') && typeof value === 'number') return [name, roundedMs(value)] as const;
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

/** Rounds to a tenth of a millisecond; null stands for no limit, as in JSON. */
export function roundedMs(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms * 10) / 10 : null;
}
