/** What happened, as a table at the end of a demo. */

/** A figure with its name, and a note for who reads it for the first time. */
export type Figure = readonly [name: string, value: number | string, note?: string | undefined];

const NAME = 24;
const VALUE = 8;

/** Lays out figures in columns, under a heading, with a line break at the end. */
export function closingTable(figures: readonly Figure[]): string {
  const lines = figures.map(([name, value, note]) => {
    const line = `  ${name.padEnd(NAME - 2)}${String(value).padStart(VALUE)}`;
    return note === undefined ? line : `${line}   ${note}`;
  });
  return `\nWhat happened:\n${lines.join('\n')}\n`;
}

/** Formats a time for a column: `0.52 s`. */
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
