/** Formats durations, counts and lists for people. */

/** Formats a duration in at most two units: `<1 ms`, `41 ms`, `1.2 s`, `2 min 3 s`, `3 h 4 min`. */
export function durationInWords(ms: number): string {
  if (!Number.isFinite(ms)) return 'no limit';
  if (ms < 1) return ms <= 0 ? '0 ms' : '<1 ms';
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 3_599_500) return inTwoUnits(Math.round(ms / 1_000), 60, 'min', 's');
  if (ms < 86_370_000) return inTwoUnits(Math.round(ms / 60_000), 60, 'h', 'min');
  return inTwoUnits(Math.round(ms / 3_600_000), 24, 'd', 'h');
}

function inTwoUnits(total: number, size: number, large: string, small: string): string {
  const rest = total % size;
  const whole = `${(total - rest) / size} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** Formats a size: `0 B`, `12.3 kB`, `4.1 GB`. */
export function sizeInWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [size, index] = [bytes, 0];
  for (; size >= 999.5 && index < units.length - 1; index++) size /= 1_000;
  return `${Number(size.toFixed(index === 0 || size >= 99.95 ? 0 : 1))} ${units[index]}`;
}

/** Formats a number with its noun: `1 update`, `2 updates`, `0 updates`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Lists the first items and the number of the others: `1, 2, 3 and 4 more`. */
export function firstFew(items: readonly unknown[], max = 10): string {
  const shown = items.slice(0, max).join(', ');
  return items.length > max ? `${shown} and ${items.length - max} more` : shown;
}
