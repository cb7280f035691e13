/** The options that select among dead letters: `--why REASON`, `--since TIME`, `--kind KIND`. */
import { age } from '../../config/value-types.js';
import { LastcallError } from '../../errors.js';
import { deadReasons, isDeadReason } from '../../inbox/inbox.js';
import type { SeenUpdate } from '../../inbox/seen-update.js';
import { maskTokens } from '../../token.js';

export const filterNames = ['why', 'since', 'kind'] as const;
export type FilterName = (typeof filterNames)[number];

/** Whether a dead letter is meant. */
export type Filter = (letter: SeenUpdate) => boolean;

/**
 * Returns a filter that all given options have to agree with, or undefined if none is given.
 *
 * @param nowMs in milliseconds since 1970
 * @throws LastcallError COMMAND_MISUSED for a value that means nothing
 */
export function parseFilter(
  options: ReadonlyMap<FilterName | string, string>,
  nowMs: number,
): Filter | undefined {
  const filters = filterNames.flatMap((name) => {
    const text = options.get(name);
    return text === undefined ? [] : [parsers[name](text, nowMs)];
  });
  return filters.length === 0 ? undefined : (letter) => filters.every((matches) => matches(letter));
}

const parsers: Readonly<Record<FilterName, (text: string, nowMs: number) => Filter>> = {
  why(text) {
    if (!isDeadReason(text)) throw misused('why', text, `one of ${deadReasons.join(', ')}`);
    return ({ why }) => why === text;
  },
  since(text, nowMs) {
    const parsed = age.parse(text, '');
    const sinceMs = 'value' in parsed ? nowMs - parsed.value : timeOf(text);
    if (Number.isNaN(sinceMs))
      throw misused('since', text, 'a length of time such as 2h, or a time such as 2026-01-31T14:30Z');
    return ({ atMs }) => atMs >= sinceMs;
  },
  kind(text) {
    if (!/^[a-z_]+$/.test(text)) throw misused('kind', text, 'a kind of update such as message');
    return ({ kind }) => kind === text;
  },
};

/** NaN if the text is no ISO time: `Date.parse` alone would take "1" for a day in 2001. */
const timeOf = (text: string): number => (/^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN);

const misused = (name: FilterName, text: string, expected: string) =>
  new LastcallError(
    'COMMAND_MISUSED',
    `--${name}`,
    `--${name} must be ${expected}, not '${maskTokens(text)}'`,
  );
