/** Durations, counts and kinds in words. */

/** A duration such as `8 ms`, `1.2 s` or `3 min`. */
export function duration(ms: number): string {
  if (ms < 1) return '0 ms';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** A duration that goes on, in whole seconds. */
export function running(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  return seconds < 10 ? `${seconds} s` : duration(seconds * 1_000);
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** The name of a kind of update, such as `button` for a `callback_query`. */
export const kindInWords = (kind: string): string =>
  kind === 'callback_query' ? 'button pressed' : kind.replaceAll('_', ' ');

/** JSON with line breaks; a text that is not JSON, such as one that was cut, as it is. */
export function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), undefined, 2);
  } catch {
    return json;
  }
}
