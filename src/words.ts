/** Figures as people say them. */

/** A length of time, shortened to what matters at its size: `<1 ms`, `41 ms`, `1.2 s`, `2 min 3 s`, `3 h 4 min`. */
export function durationInWords(ms: number): string {
  if (!Number.isFinite(ms)) return 'no limit';
  if (ms < 1) return ms <= 0 ? '0 ms' : '<1 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 3_599_500) return inTwo(Math.round(ms / 1_000), 60, 'min', 's');
  if (ms < 86_370_000) return inTwo(Math.round(ms / 60_000), 60, 'h', 'min');
  return inTwo(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function inTwo(total: number, size: number, large: string, small: string): string {
  const rest = total % size;
  const whole = `${(total - rest) / size} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** `1 update`, `2 updates`, `0 updates`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** The first few of a list, for a sentence that has to stay readable: `1, 2, 3 and 4 more`. */
export function firstFew(items: readonly unknown[], most = 10): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}
