/** What a check has found. */

/**
 * - `well`: as it should be
 * - `skipped`: could not be told, and why
 * - `warning`: may become wrong
 * - `wrong`: keeps the bot from its work, or loses some of it
 */
export type Verdict = 'well' | 'skipped' | 'warning' | 'wrong';

export interface Finding {
  /** The name of the check, the same for each of its verdicts. */
  readonly check: string;
  readonly verdict: Verdict;
  /** What was found, with the place where it is. */
  readonly text: string;
  /** What to do about it; absent where nothing is to be done. */
  readonly cure?: string;
  /** Commands that do it, or show more, to be pasted one by one. */
  readonly commands?: readonly string[];
}

export interface Group {
  readonly name: string;
  readonly findings: readonly Finding[];
}

type Cure = Pick<Finding, 'cure' | 'commands'>;

export const well = (check: string, text: string): Finding => ({ check, verdict: 'well', text });
export const skipped = (check: string, text: string, cure: Cure = {}): Finding => ({
  ...{ check, verdict: 'skipped', text },
  ...cure,
});
export const warning = (check: string, text: string, cure: Cure): Finding => ({
  ...{ check, verdict: 'warning', text },
  ...cure,
});
export const wrong = (check: string, text: string, cure: Cure): Finding => ({
  ...{ check, verdict: 'wrong', text },
  ...cure,
});

/** The findings against something, or the one that all is well where there are none. */
export const orWell = (found: readonly Finding[], check: string, text: string): readonly Finding[] =>
  found.length > 0 ? found : [well(check, text)];

/** A path as a word for a shell. */
export const shellWord = (path: string): string =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
