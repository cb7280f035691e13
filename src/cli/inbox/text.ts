/**
 * Updates of the inbox as people and programs read them. What is in an update comes from strangers: nothing of it that a
 * terminal might take for a command is printed as it is, and no token.
 */
import { type SeenUpdate, type UpdateState, updateStates } from '../../inbox/store/view.js';
import { maskTokens } from '../../token.js';
import { count, durationInWords, firstFew } from '../../words.js';

/** How much of an error's first line fits into a table. */
const LONGEST_WHY = 100;

/** Controls, what ends a line, and what turns the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The same text in JSON's own escapes, which in JSON mean the same. */
const printable = (text: string): string =>
  maskTokens(text).replaceAll(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const headings = ['STATE', 'UPDATE', 'KIND', 'CHAT', 'AGE', 'BEGUN', 'DIED', 'WHY'] as const;

/** Columns, with a heading, without contents; each line with its line break. Empty where there are no updates. */
export function table(updates: Iterable<SeenUpdate>, nowMs: number): string {
  const rows: (readonly string[])[] = [headings];
  for (const update of updates) rows.push(row(update, nowMs));
  if (rows.length === 1) return '';
  const widths = headings.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map(
      (cells) =>
        `${cells
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function row(
  { state, updateId, kind, key, atMs, attempts, deaths, why, error }: SeenUpdate,
  nowMs: number,
): readonly string[] {
  const firstLine = error?.split('\n', 1)[0] ?? '';
  const reason = why === undefined ? '' : firstLine === '' ? why : `${why}: ${firstLine}`;
  const shown = reason.length > LONGEST_WHY ? `${reason.slice(0, LONGEST_WHY)}…` : reason;
  const age = durationInWords(Math.max(0, nowMs - atMs));
  return [
    state,
    `${updateId}`,
    printable(kind),
    printable(key),
    age,
    `${attempts}`,
    deaths === undefined ? '' : `${deaths}`,
    printable(shown),
  ];
}

/** `2 running, 0 waiting, 1 dead`; how many are interrupted only where there are any. */
export function countsInWords(counts: Readonly<Record<UpdateState, number>>): string {
  return updateStates
    .filter((state) => state !== 'interrupted' || counts.interrupted > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(', ');
}

/** What is known of an update besides its content; the index data of an exported line. */
function fieldsOf({
  seq,
  updateId,
  kind,
  key,
  state,
  atMs,
  attempts,
  deaths,
  why,
  error,
}: SeenUpdate): object {
  return {
    updateId,
    kind,
    key,
    state,
    at: new Date(atMs).toISOString(),
    attempts,
    deaths: deaths ?? null,
    why: why ?? null,
    error: error ?? null,
    seq,
  };
}

/** Of one line. */
export const asJson = (update: SeenUpdate): string => printable(JSON.stringify(fieldsOf(update)));

/** With the content; undefined where that is gone meanwhile. */
export function asJsonWithContent(update: SeenUpdate, indent?: number): string | undefined {
  const text = update.text();
  if (!text) return undefined;
  const content: unknown = JSON.parse(text.toString());
  const lines = JSON.stringify({ ...fieldsOf(update), update: content }, undefined, indent).split('\n');
  return lines.map(printable).join('\n');
}

const actions = {
  retry: { asked: 'try', done: 'trying', behind: ' again' },
  drop: { asked: 'drop', done: 'dropped', behind: '' },
} as const;

/** `try 2 updates again: 1, 2`, or once that is done `trying …`; in a sentence that has to stay readable. */
export function actionInWords(
  action: keyof typeof actions,
  tense: 'asked' | 'done',
  ids: readonly number[],
): string {
  const { [tense]: verb, behind } = actions[action];
  return `${verb} ${count(ids.length, 'update')}${behind}: ${firstFew(ids)}`;
}
